"""The signatory is gone and cannot come back: e-cash stops in words, accounts go on paying.

Method: the seed is moved away and every process that holds keys is killed, so that each new one
ends at once. E-cash and account payments are asked at the same time. Then the seed comes back, and
the same bytes that were refused go through.
"""

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx
from tests.faults.machine import InDoubt, Machine, machine_in
from tests.faults.purse_load import PurseLoad

from amana.audit import audit_folder
from amana.purse.signatory import SEED_FILE
from amana.trust import SIGNATORY_FOLDER

_BACK_S = 30.0


def payment(machine: Machine, client: httpx.AsyncClient, key: str) -> Any:
    """Pay a shop from an account."""
    customer, shop = machine.world["customers"][0], machine.world["merchants"][0]
    body = {"payee": shop["handle"], "amount": {"currency": "EUR", "minor": "5"}}
    headers = {"Authorization": f"Bearer {customer['token']}", "Idempotency-Key": key}
    return client.post(f"{machine.url}/v1/payments", json=body, headers=headers)


async def live_through(folder: Path) -> tuple[httpx.Response, list[int], int]:
    """Return what a swap was told, how the payments beside it were answered, and e-cash later."""
    with machine_in(folder) as machine:
        await machine.start()
        load = PurseLoad(machine, random.Random(1))
        await load.fill()
        purser = load.pursers[0]
        before = purser.wallet.total
        purser.errand = errand = purser.swap(purser.wallet.pick(100))
        seed = folder / "data" / SIGNATORY_FOLDER / SEED_FILE
        seed.rename(seed.with_suffix(".away"))
        await load.kill_signatories()
        async with load.client() as client:
            swap = client.post(load.mint + errand.path, json=errand.body)
            told, *paid = await asyncio.gather(
                swap, *(payment(machine, client, f"beside-{n}") for n in range(20))
            )
            errand.asked += 1
            for public in ("/v1/keys", "/v1/keysets", "/v1/info"):
                assert (await client.get(load.mint + public)).is_success
            seed.with_suffix(".away").rename(seed)
            async with asyncio.timeout(_BACK_S):
                while not purser.done:
                    try:
                        await purser.go_on(client)
                    except InDoubt:
                        await asyncio.sleep(0.1)
        assert purser.wallet.total == before
        machine.stop()
    return told, [answer.status_code for answer in paid], purser.done


def test_without_a_signatory_e_cash_waits_and_accounts_pay(tmp_path: Path) -> None:
    told, paid, done = asyncio.run(live_through(tmp_path))
    assert told.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert told.json()["detail"] == (
        "The mint cannot answer for the moment. Ask again with the same request."
    )
    assert paid == [httpx.codes.CREATED] * 20
    assert done == 1
    report = audit_folder(tmp_path / "data")
    assert report.is_sound, report.findings
