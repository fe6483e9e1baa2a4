"""The process is killed under load, again and again: nothing told is lost, nothing is done twice.

Method: clients buy, capture and refund over loopback, and remember every answer. The process gets
SIGKILL at a random moment and is started again; the clients repeat, with the same keys, what they
have no answer to. In the end everything is asked once more, and the books are recomputed.
"""

import asyncio
import random
from collections import Counter
from pathlib import Path

from tests.faults.machine import Load, machine_in

from amana.audit import audit_folder
from amana.kernel import IdKind, parse_id
from amana.node.operator import open_operator
from amana.payments.model import PaymentStatus


async def live_through(folder: Path, *, kills: int, seed: int) -> Load:
    """Kill under load so many times; then let the clients finish, and end in order."""
    chance = random.Random(seed)
    with machine_in(folder) as machine:
        load = Load(machine, chance)
        for _ in range(kills):
            await machine.start()
            await load.run(chance.uniform(0.05, 0.9))
        await machine.start()
        await load.finish()
        machine.stop()
    return load


def check_books(folder: Path, load: Load) -> int:
    """Compare what clients were told with the books; return how many payments there are."""
    assert not load.open_tasks
    report = audit_folder(folder)
    assert report.is_sound, report.findings
    assert not report.unfinished
    told = Counter(
        load_id
        for (path, _), (status, content) in load.answers.items()
        if path == "/v1/payments" and status == 201
        for load_id in [content.split(b'"')[3].decode()]
    )
    assert told, "there was load"
    assert set(told.values()) == {1}, "each key has a payment of its own"
    with open_operator(folder) as operator:
        assert operator.payments_read.unfinished() == []
        for text in told:
            identifier = parse_id(IdKind.PAYMENT, text)
            assert identifier is not None
            payment = operator.payments_read.payment(identifier)
            assert payment is not None, f"{text} was acknowledged and is gone"
            assert payment.status in {PaymentStatus.PAID, PaymentStatus.AUTHORISED}
        (made,) = operator.read_connection.execute(
            "SELECT count(*) FROM payments_payments WHERE kind = 1 AND status IN (2, 3)"
        ).fetchone()
        assert made == len(told), "no payment is there that nobody was told of"
    return len(told)


def test_three_kills_under_load_lose_and_double_nothing(tmp_path: Path) -> None:
    load = asyncio.run(live_through(tmp_path, kills=3, seed=20))
    check_books(tmp_path / "data", load)
