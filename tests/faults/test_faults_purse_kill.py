"""Operator and signatory are killed under load, again and again: no e-cash is lost or made.

Method: purses swap, pay orders and shops, put money back, and fetch what merchants gave back with
the key that they left, over loopback. At half time the keyset is revoked, and what they hold is
issued anew. The operator, or every process that holds its keys, gets SIGKILL at a random moment.
The purses then ask again with the same bytes, and where a swap, a refund or an issue anew had gone
through, for its signatures (NUT-09). In the end what the purses hold is exactly what the books say
is out, each shop has exactly what purses were told they paid, and the books are recomputed.
"""

import asyncio
import random
from contextlib import closing
from pathlib import Path

from tests.faults.machine import machine_in
from tests.faults.purse_load import PurseLoad

from amana.audit import audit_folder
from amana.purse.liabilities import read_facts
from amana.storage import BOOKS_FILE, open_reader


async def live_through(folder: Path, *, kills: int, seed: int) -> PurseLoad:
    """Fill purses; kill under load so many times, operator and signatory in turn; then finish."""
    chance = random.Random(seed)
    with machine_in(folder) as machine:
        load = PurseLoad(machine, chance)
        await machine.start()
        await load.fill()
        for number in range(kills):
            if number == kills // 2:
                await revoke(load)
            is_signatory = number % 3 == 2
            harm = load.kill_signatories if is_signatory else load.kill_operator
            await load.run(chance.uniform(0.05, 0.9), harm)
            if not is_signatory:
                await machine.start()
        await load.finish()
        machine.stop()
    return load


async def revoke(load: PurseLoad) -> None:
    """Revoke the keyset that signs, once nothing is under way with it."""
    await load.finish()
    load.machine.stop()
    load.machine.command("purse", "revoke", "0")
    await load.machine.start()
    await load.learn()


def check_purses(folder: Path, load: PurseLoad) -> int:
    """Compare what purses hold and were told with the books; return how many errands were run."""
    report = audit_folder(folder)
    assert report.is_sound, report.findings
    assert not report.unfinished
    with closing(open_reader((folder / BOOKS_FILE).resolve())) as connection:
        facts = read_facts(connection)
        taken = dict(
            connection.execute(
                "SELECT p.handle, coalesce(sum(t.total), 0) FROM people_merchants AS p "
                "JOIN payments_payments AS t ON t.payee = p.merchant "
                "WHERE t.kind = 6 AND t.status = 3 GROUP BY 1"
            )
        )
    held = sum(purser.wallet.total for purser in load.pursers)
    assert held == sum((each.signed - each.spent) * each.amount for each in facts.counts)
    assert facts.promised == facts.to_post == 0
    shops = [shop["handle"] for shop in load.machine.world["merchants"]]
    told = {
        shop: sum(purser.paid.get(number, 0) for purser in load.pursers)
        for number, shop in enumerate(shops)
    }
    assert {shop: taken.get(shop, 0) for shop in shops} == told
    secrets = [proof.secret for purser in load.pursers for proof in purser.wallet.proofs]
    assert len(secrets) == len(set(secrets))
    return sum(purser.done for purser in load.pursers)


def test_four_kills_under_load_lose_and_make_no_e_cash(tmp_path: Path) -> None:
    load = asyncio.run(live_through(tmp_path, kills=4, seed=8))
    assert check_purses(tmp_path / "data", load) > 20
    assert sum(purser.refunded for purser in load.pursers) > 2
    assert sum(purser.issued_anew for purser in load.pursers) > 2
