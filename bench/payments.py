"""Payments over HTTP: how many a second, how late, and beside which yardsticks.

A whole operator is served by `amana serve` with full durability; a generator in this process keeps
64 connections busy with `POST /v1/payments`, one payment at a time each, on the same cores. Every
figure is of one run on one machine; only ratios travel.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
import uvloop

from amana.kernel import AmanaId, Instant
from amana.ledger import Account, AccountFlags, Transfer
from amana.node.operator import Operator, make_operator, open_operator
from amana.node.settings import Settings
from amana.payments import postings
from amana.payments.books import Changes
from amana.payments.model import (
    Intent,
    Payment,
    PaymentKind,
    PaymentStatus,
)
from amana.payments.store import SqlPaymentRows
from amana.people import Customer, Merchant, Refused

CONNECTIONS = 64
MERCHANTS = 100
FUNDS_MINOR = 400_000
PORT = 8499
KEY_BYTES = 16
FILL_BATCH = 8_000


@dataclass
class Sample:
    """What one stretch of load measured."""

    seconds: float
    latencies_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Payments a second that were answered 201."""
        return self.statuses[201] / self.seconds

    def percentile(self, share: float) -> float:
        """Return a latency in milliseconds."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

    def view(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            "payments_per_s": round(self.rate),
            "p50_ms": round(self.percentile(0.50), 1),
            "p99_ms": round(self.percentile(0.99), 1),
            "refused": sum(n for status, n in self.statuses.items() if status != 201),
        }


async def people(operator: Operator, customers: int) -> dict[str, Any]:
    """Open customers with money, and merchants; return the tokens and handles in use."""
    await operator.start()
    tokens = []
    for number in range(CONNECTIONS):
        made = operator.people.new_customer(f"payer-{number}", f"Payer {number}")
        opened = await operator.people.open_customer(made)
        assert isinstance(opened, Customer)
        issued = await operator.people.issue_session(opened.customer, is_lasting=True)
        assert not isinstance(issued, Refused)
        tokens.append(issued.text)
        await top_up(operator, f"payer-{number}")
    handles = []
    for number in range(MERCHANTS):
        made_merchant = operator.people.new_merchant(
            f"shop-{number}", f"Shop {number}", category="5411", country="DE", city="Berlin"
        )
        assert isinstance(await operator.people.open_merchant(made_merchant), Merchant)
        handles.append(f"shop-{number}")
    numbers = range(CONNECTIONS, customers)
    for start in range(0, len(numbers), 1_000):
        some = numbers[start : start + 1_000]
        await asyncio.gather(*(crowd(operator, number) for number in some))
    return {"tokens": tokens, "handles": handles}


async def crowd(operator: Operator, number: int) -> None:
    """Open one more customer, who has an account and pays nothing."""
    made = operator.people.new_customer(f"person-{number}", f"Person {number}")
    await operator.people.open_customer(made)


async def top_up(operator: Operator, handle: str) -> None:
    """Give a customer money."""
    facts = operator.directory.by_handle(handle)
    assert facts is not None
    identifier = operator.new_id()
    key = identifier.to_bytes(KEY_BYTES)
    paid = await operator.payments.pay(
        Intent(
            id=identifier,
            kind=PaymentKind.TOPUP,
            initiator=facts.party,
            key=key,
            body=key,
            payer=operator.own_party,
            payee=operator.party(facts),
            amount=FUNDS_MINOR,
            created_at=operator.clock.now(),
        )
    )
    assert isinstance(paid, Payment)
    assert paid.status is PaymentStatus.PAID, paid


async def fill(operator: Operator, transfers: int) -> None:
    """Put payments of two transfers each into the books, until there are so many transfers."""
    number = operator.ledger_number
    chance = random.Random(8)
    payers = [operator.new_id() for _ in range(20_000)]
    shops = [operator.new_id() for _ in range(2_000)]
    both = [(account, 10) for account in payers] + [(account, 20) for account in shops]
    for start in range(0, len(both), FILL_BATCH):
        accounts = [
            Account(id=account, ledger=number, code=code, flags=AccountFlags.NONE)
            for account, code in both[start : start + FILL_BATCH]
        ]
        await operator.ledger.create_accounts(accounts)
    done = 0
    while done < transfers:
        made = [filled(operator, chance, payers, shops) for _ in range(FILL_BATCH // 2)]
        chain: list[Transfer] = []
        for payment in made:
            chain += postings.of_payment(payment, ledger=number)
        await operator.ledger.create_transfers(chain)
        await operator.writer.run(partial(keep, made))
        done += len(chain)
        print(f"\rfilling the books: {done:,} of {transfers:,} transfers", end="", file=sys.stderr)
    print(file=sys.stderr)


def keep(made: list[Payment], connection: sqlite3.Connection) -> None:
    """Write payments of the past."""
    SqlPaymentRows(connection).write(changes(made))


def changes(made: list[Payment]) -> Changes:
    """Return a group that adds payments and nothing else."""
    return Changes(made, [], [], [], [], [], [], [])


def filled(
    operator: Operator, chance: random.Random, payers: list[AmanaId], shops: list[AmanaId]
) -> Payment:
    """Make a payment of the past."""
    identifier = operator.new_id()
    payer, payee = chance.choice(payers), chance.choice(shops)
    key = chance.randbytes(KEY_BYTES)
    now = operator.clock.now()
    return Payment(
        id=identifier,
        kind=PaymentKind.PURCHASE,
        status=PaymentStatus.PAID,
        reason=None,
        initiator=payer,
        key=key,
        body=key,
        payer=payer,
        payee=payee,
        payer_account=payer,
        payee_account=payee,
        total=1_000,
        tip=0,
        fee=2,
        fee_basis_points=20,
        order_id=None,
        refund_of=None,
        till_id=None,
        captured=0,
        refunded=0,
        fee_returned=0,
        steps=0,
        hold_expires_at=None,
        sealed_note=None,
        note_key=None,
        created_at=now,
        concluded_at=Instant(now),
    )


class Connection(asyncio.Protocol):
    """One keep-alive connection that pays, waits for the answer, and pays again."""

    def __init__(self, head: bytes, payees: list[str], sample: Sample, until: float) -> None:
        self._head = head
        self._payees = payees
        self._sample = sample
        self._until = until
        self._received = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self._names = random.Random()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._pay()

    def _pay(self) -> None:
        payee = self._names.choice(self._payees)
        body = b'{"amount":{"currency":"EUR","minor":"1"},"payee":"%s"}' % payee.encode()
        assert self._transport is not None
        self._sent_at = time.perf_counter()
        self._transport.write(
            b"%sIdempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (self._head, self._names.randbytes(12).hex().encode(), len(body), body)
        )

    def data_received(self, data: bytes) -> None:
        """Take an answer, and pay again while there is time."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        now = time.perf_counter()
        self._received = b""
        self._sample.statuses[int(head[9:12])] += 1
        self._sample.latencies_ms.append((now - self._sent_at) * 1_000)
        if now < self._until:
            self._pay()
        else:
            assert self._transport is not None
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        """End."""
        if not self.done.done():
            self.done.set_result(None)


async def load(tokens: list[str], payees: list[str], seconds: float) -> Sample:
    """Keep every connection busy for a while."""
    sample = Sample(seconds)
    until = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    connections = []
    for token in tokens:
        head = (
            b"POST /v1/payments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %s\r\n" % token.encode()
        )
        _, connection = await loop.create_connection(
            lambda head=head: Connection(head, payees, sample, until),  # type: ignore[misc]
            "127.0.0.1",
            PORT,
        )
        connections.append(connection)
    await asyncio.gather(*(connection.done for connection in connections))
    return sample


def memory_mib(process: subprocess.Popen[bytes]) -> int:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


def serving(folder: Path) -> subprocess.Popen[bytes]:
    """Serve a folder, and return when it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "amana", "serve", "--data", str(folder), "--port", str(PORT)],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert b"Serving" in line, line
    return process


def stretch(folder: Path, used: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Serve one folder and load it: warm up, uniform payees, one hot payee."""
    process = serving(folder)
    try:
        handles, tokens = used["handles"], used["tokens"]
        uvloop.run(load(tokens, handles, 2))
        uniform = uvloop.run(load(tokens, handles, seconds))
        hot = uvloop.run(load(tokens, handles[:1], seconds))
        return {
            "uniform": uniform.view(),
            "hot": hot.view(),
            "hot_ratio": round(hot.rate / uniform.rate, 2),
            "memory_mib": memory_mib(process),
        }
    finally:
        process.terminate()
        process.wait(10)


def prepared(folder: Path, *, customers: int, transfers: int) -> dict[str, Any]:
    """Make an operator with people and, if asked, a past."""
    make_operator(folder, Settings(is_play_money=True))

    async def work() -> dict[str, Any]:
        with open_operator(folder) as operator:
            used = await people(operator, customers)
            if transfers:
                await fill(operator, transfers)
            return used

    return uvloop.run(work())


def pgbench(seconds: int) -> float | None:
    """Return pgbench's TPC-B rate with 64 clients, prepared, on a cluster of its own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    if not found:
        return None
    tools = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="amana-pgbench-"))
    as_user = (
        [] if os.geteuid() else ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    )
    if not os.geteuid():
        shutil.chown(folder, "nobody", "nogroup")
    cluster, socket = folder / "cluster", ["-h", str(folder), "-p", "54329"]

    def run(*command: object) -> str:
        words = [*as_user, *map(str, command)]
        return subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder).stdout

    try:
        run(tools / "initdb", "-D", cluster, "-A", "trust", "-U", "amana", "--no-sync")
        options = f"-c listen_addresses='' -k {folder} -p 54329"
        run(tools / "pg_ctl", "-D", cluster, "-w", "-o", options, "-l", folder / "log", "start")
        run(tools / "createdb", *socket, "-U", "amana", "bench")
        run(tools / "pgbench", *socket, "-U", "amana", "-i", "-s", 10, "-q", "bench")
        told = run(
            tools / "pgbench",
            *socket,
            "-U",
            "amana",
            "-M",
            "prepared",
            "-c",
            64,
            "-j",
            2,
            "-T",
            seconds,
            "bench",
        )
        line = next(line for line in told.splitlines() if line.startswith("tps"))
        return float(line.split()[2])
    finally:
        subprocess.run(
            [*as_user, str(tools / "pg_ctl"), "-D", str(cluster), "-m", "immediate", "stop"],
            check=False,
            capture_output=True,
            cwd=folder,
        )
        shutil.rmtree(folder, ignore_errors=True)


def measure(
    *, seconds: float, customers: int, transfers: int, with_pgbench: bool
) -> dict[str, Any]:
    """Measure everything in one run."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="amana-bench-") as name:
        empty = Path(name) / "empty"
        used = prepared(empty, customers=customers, transfers=0)
        results["empty"] = {"customers": customers, **stretch(empty, used, seconds)}
        if transfers:
            full = Path(name) / "full"
            used = prepared(full, customers=CONNECTIONS, transfers=transfers)
            results["full"] = {"transfers": transfers, **stretch(full, used, seconds)}
            results["full_ratio"] = round(
                results["full"]["uniform"]["payments_per_s"]
                / results["empty"]["uniform"]["payments_per_s"],
                2,
            )
    rate = pgbench(int(seconds)) if with_pgbench else None
    results["pgbench_tps"] = None if rate is None else round(rate)
    if rate:
        results["of_pgbench"] = round(results["empty"]["uniform"]["payments_per_s"] / rate, 2)
    return results


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--transfers", type=int, default=5_000_000)
    parser.add_argument("--no-pgbench", action="store_true")
    asked = parser.parse_args()
    results = measure(
        seconds=asked.seconds,
        customers=asked.customers,
        transfers=asked.transfers,
        with_pgbench=not asked.no_pgbench,
    )
    print(json.dumps(msgspec.to_builtins(results), indent=2))


if __name__ == "__main__":
    main()
