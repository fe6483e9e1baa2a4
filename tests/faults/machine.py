"""A real operator in a process of its own, and clients who keep asking until they know."""

import asyncio
import itertools
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from tests.ports import free_port

from amana.node.operator import make_operator
from amana.node.settings import Settings

_READY_S: Final = 90.0
_POLL_S: Final = 0.02
_CLIENTS: Final = 12
_AMANA: Final = (sys.executable, "-c", "from amana.cli import main; main()")
_PROGRAM: Final = (*_AMANA, "demo")

Json = Any


class InDoubt(Exception):  # noqa: N818 - a state of knowledge
    """The answer did not come, or said that the outcome is unknown."""


@dataclass
class Machine:
    """A server process on one data folder; started, killed and started again."""

    folder: Path
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    world: Json = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start the process, and wait until it says that it is ready.

        The operator is made without blind tokens, unlike the demo's own: what is repeated here
        thousands of times would first have to be fetched past a day's ration.
        """
        if not self.folder.exists():
            make_operator(self.folder, Settings(is_play_money=True, blind_tokens=False))
        self.port = self.port or free_port()
        ready = self.folder.with_name("ready.json")
        ready.unlink(missing_ok=True)
        self.process = self._run("--port", str(self.port), "--ready-file", str(ready))
        async with asyncio.timeout(_READY_S):
            while not ready.exists():
                assert self.process.poll() is None, self.said()
                await asyncio.sleep(_POLL_S)
        self.world = msgspec.json.decode(ready.read_bytes())

    def _run(self, *options: str) -> "subprocess.Popen[bytes]":
        with self.folder.with_name("stderr.txt").open("ab") as errors:
            return subprocess.Popen(
                [*_PROGRAM, "--no-browser", "--no-traffic", "--data", str(self.folder), *options],
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )

    def command(self, *words: str) -> None:
        """Run a command on the folder while nothing else uses it."""
        command = [*_AMANA, *words, "--data", str(self.folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def said(self) -> str:
        """What the process wrote to its error stream."""
        return self.folder.with_name("stderr.txt").read_text(errors="replace")[-2_000:]

    def kill(self) -> None:
        """End the process as a power cut does."""
        assert self.process is not None, "the process was started"
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ask the process to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=_READY_S)


@contextmanager
def machine_in(folder: Path) -> Iterator[Machine]:
    """A machine that is gone when the test is."""
    made = Machine(folder / "data")
    try:
        yield made
    finally:
        if made.process is not None and made.process.poll() is None:
            made.kill()


@dataclass
class Load:
    """Clients that buy, capture and refund, and remember every answer they were given."""

    machine: Machine
    chance: random.Random
    numbers: Iterator[int] = field(default_factory=itertools.count)
    answers: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    requests: dict[tuple[str, str], tuple[str, Json]] = field(default_factory=dict)
    open_tasks: set[int] = field(default_factory=set)
    is_over: bool = False

    async def run(self, seconds: float) -> None:
        """Ask with many clients for a while; whatever is left open is open to a later run."""
        self.is_over = False
        async with self.client() as client:
            left = sorted(self.open_tasks)
            workers = [
                asyncio.ensure_future(self._work(client, left[n::_CLIENTS]))
                for n in range(_CLIENTS)
            ]
            await asyncio.sleep(seconds)
            self.machine.kill()
            self.is_over = True
            await asyncio.gather(*workers)

    async def finish(self) -> None:
        """Bring every open task to its end, and ask everything answered once more."""
        async with self.client() as client:
            for number in sorted(self.open_tasks):
                await self._task(client, number)
            for (path, key), (token, body) in list(self.requests.items()):
                if (path, key) in self.answers:
                    await self._ask(client, token, path, key=key, body=body)

    def client(self) -> httpx.AsyncClient:
        """Connections that are kept alive."""
        limits = httpx.Limits(max_connections=_CLIENTS, max_keepalive_connections=_CLIENTS)
        return httpx.AsyncClient(
            base_url=self.machine.url, limits=limits, timeout=20, trust_env=False
        )

    async def _work(self, client: httpx.AsyncClient, left: list[int]) -> None:
        while not self.is_over:
            number = left.pop() if left else next(self.numbers)
            self.open_tasks.add(number)
            try:
                await self._task(client, number)
            except InDoubt:
                return

    async def _task(self, client: httpx.AsyncClient, number: int) -> None:
        """Do the n-th errand; every request of it has a key of its own, so it may be repeated."""
        self.open_tasks.add(number)
        customers, merchants = self.machine.world["customers"], self.machine.world["merchants"]
        customer, shop = customers[number % len(customers)], merchants[number % len(merchants)]
        amount = {"currency": "EUR", "minor": str(number % 7 + 1)}
        if number % 3:
            body = {"payee": shop["handle"], "amount": amount}
            await self._ask(client, customer["token"], "/v1/payments", key=f"p{number}", body=body)
        else:
            await self._order(client, number, amount=amount)
        self.open_tasks.discard(number)

    async def _order(
        self, client: httpx.AsyncClient, number: int, *, amount: dict[str, str]
    ) -> None:
        customers, merchants = self.machine.world["customers"], self.machine.world["merchants"]
        token = customers[number % len(customers)]["token"]
        key = merchants[number % len(merchants)]["api_key"]
        is_manual = number % 2 == 0
        asked = {"amount": amount, "capture": "manual" if is_manual else "automatic"}
        _, order = await self._ask(client, key, "/v1/orders", key=f"o{number}", body=asked)
        paying = {"code": order["code"], "amount": amount}
        status, _ = await self._ask(client, token, "/v1/payments", key=f"p{number}", body=paying)
        if status != httpx.codes.CREATED:
            return
        path = f"/v1/orders/{order['id']}/{'capture' if is_manual else 'refunds'}"
        await self._ask(client, key, path, key=f"s{number}", body={})

    async def _ask(
        self, client: httpx.AsyncClient, token: str, path: str, *, key: str, body: Json
    ) -> tuple[int, Json]:
        """Ask; an answer that was given before must come again, byte by byte."""
        self.requests[path, key] = (token, body)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        try:
            response = await client.post(path, json=body, headers=headers)
        except httpx.TransportError as failure:
            raise InDoubt from failure
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            assert response.status_code == httpx.codes.SERVICE_UNAVAILABLE, response.text
            raise InDoubt
        told = (response.status_code, response.content)
        before = self.answers.setdefault((path, key), told)
        assert told == before, f"{path} {key} was answered {before}, then {told}"
        return response.status_code, response.json()
