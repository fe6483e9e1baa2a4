"""A demo operator's mint under load: purses that repeat what they have no answer to."""

import asyncio
import json
import os
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
from coincurve import PrivateKey
from tests.faults.holder import (
    Wallet,
    read_keyset,
    write_output,
    write_proof,
)
from tests.faults.machine import InDoubt, Machine

from amana.node.mint.shapes import write_quote_id
from amana.purse.methods import refund
from amana.purse.model import Code, Proof
from amana.purse.rules.conditions import framed_quote_message
from amana.testing.ecash import Blinded

Json = Any

_FILL_S: Final = 60.0
_POLL_S: Final = 0.25
_TIER: Final = 10_000
_LOW: Final = 3_000
_RETRY_S: Final = 0.05
_REFUND: Final = f"/v1/mint/{refund.METHOD}"
_REISSUE: Final = "/v1/reissue"
_SHOWN_MAX: Final = 5
_REPEATED: Final = {
    "/v1/swap": {Code.ALREADY_SPENT, Code.ALREADY_SIGNED},
    _REISSUE: {Code.ALREADY_SPENT, Code.ALREADY_SIGNED},
    _REFUND: {Code.ALREADY_ISSUED, Code.ALREADY_SIGNED},
}
"""What says that an answer was lost; a redemption that went through says so again."""


class RawMint:
    """Connections to a mint, as thin as they go: many requests at once on a small machine."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._count = connections
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.Queue()
        )

    async def open(self) -> None:
        """Connect."""
        for _ in range(self._count):
            self._free.put_nowait(await asyncio.open_connection("127.0.0.1", self._port))

    async def close(self) -> None:
        """Go away."""
        while not self._free.empty():
            _, writer = self._free.get_nowait()
            writer.close()
            await writer.wait_closed()

    async def post(self, path: str, body: bytes) -> tuple[int, Json]:
        """Ask once, on whichever connection is free first."""
        reader, writer = await self._free.get()
        writer.write(
            b"POST %s HTTP/1.1\r\nhost: mint.localhost\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (path.encode(), len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        answer = await reader.readexactly(length)
        self._free.put_nowait((reader, writer))
        return int(head.split(b" ", 2)[1]), json.loads(answer)


class Return(NamedTuple):
    """A payment that its merchant gives back, and the one-time key that fetches it."""

    order: str
    shop: int
    amount: int
    key: PrivateKey


@dataclass
class Errand:
    """Something a purse does once, however often it has to ask."""

    path: str
    body: Json
    inputs: list[Proof]
    outputs: list[Blinded]
    pays: int = 0
    shop: int = -1
    is_deposit: bool = False
    back: Return | None = None
    asked: int = 0


@dataclass
class Purser:
    """One customer with a purse."""

    load: "PurseLoad"
    number: int
    wallet: Wallet
    chance: random.Random
    errand: Errand | None = None
    paid: dict[int, int] = field(default_factory=dict)
    deposited: int = 0
    returns: list[Return] = field(default_factory=list)
    refunded: int = 0
    issued_anew: int = 0
    done: int = 0

    @property
    def is_busy(self) -> bool:
        """Whether something was begun that has no end yet."""
        return self.errand is not None or bool(self.returns)

    @property
    def revoked(self) -> list[Proof]:
        """What neither swaps nor pays; keysets come to an end here in no other way."""
        return [one for one in self.wallet.proofs if one.keyset_id != self.wallet.keyset.id]

    @property
    def token(self) -> str:
        """The session's."""
        return str(self.load.machine.world["customers"][self.number]["token"])

    async def fill(self, client: httpx.AsyncClient) -> None:
        """Fill the purse by a standing order, and wait for it."""
        outputs = self.wallet.refill(_TIER)
        asked = [{"amount": one.message.amount, "B_": one.message.point.hex()} for one in outputs]
        body = {
            "tier": {"currency": "EUR", "minor": str(_TIER)},
            "keyset_id": self.wallet.keyset.id,
            "outputs": asked,
        }
        headers = {"Authorization": f"Bearer {self.token}"}
        path = f"{self.load.machine.url}/v1/purse/refill"
        left = await client.put(path, json=body, headers=headers)
        assert left.status_code == httpx.codes.OK, left.text
        async with asyncio.timeout(_FILL_S):
            view = left.json()
            while view["state"] != "signed":
                await asyncio.sleep(_POLL_S)
                view = (await client.get(path, headers=headers)).json()
        self.wallet.receive(outputs, view["signatures"])

    async def go_on(self, client: httpx.AsyncClient) -> None:
        """Finish the errand that is open, or begin another and finish it."""
        if self.errand is None:
            self.errand = await self._begin(client)
        await self._finish(client, self.errand)
        self.errand = None
        self.done += 1

    async def _begin(self, client: httpx.AsyncClient) -> Errand:
        if self.returns:
            return await self._refund(client, self.returns[-1])
        if self.revoked:
            return self._reissue(self.revoked[:_SHOWN_MAX])
        # However few errands a slow machine gets through, some are fetched refunds.
        is_first = self.done == 0 and self.number % 3 == 0
        draw = 0.5 if is_first else self.chance.random()
        if draw < 0.4 or self.wallet.total < _LOW:
            proofs = self.chance.sample(self.wallet.proofs, min(3, len(self.wallet.proofs)))
            return self.swap(proofs)
        if draw < 0.95 or self.deposited:
            shop, amount = self.chance.randrange(3), self.chance.randrange(1, 60)
            if draw < 0.55:
                return await self._to_be_returned(client, shop, amount)
            if draw < 0.7:
                request: Json = {"request": await self._order(client, shop, amount)}
            else:
                handle = self.load.machine.world["merchants"][shop]["handle"]
                request = {"request": f"@{handle}", "amount": amount}
            return await self._redemption(client, "amana-merchant", request, amount, shop=shop)
        address = await self.load.ask(
            client, "/v1/purse/deposits", {}, token=self.token, key=str(self.chance.random())
        )
        request = {"request": address["request"], "amount": 2_000}
        return await self._redemption(client, "amana-account", request, 2_000)

    async def _to_be_returned(self, client: httpx.AsyncClient, shop: int, amount: int) -> Errand:
        key = PrivateKey(self.chance.randbytes(32))
        order = await self._order(client, shop, amount)
        request = {"request": order, "refund_key": key.public_key.format().hex()}
        errand = await self._redemption(client, "amana-merchant", request, amount, shop=shop)
        errand.back = Return(order, shop, amount, key)
        return errand

    async def _refund(self, client: httpx.AsyncClient, back: Return) -> Errand:
        """Have the merchant give a payment back, and fetch it with its key (NUT-20)."""
        merchant = self.load.machine.world["merchants"][back.shop]["api_key"]
        path = f"/v1/orders/{back.order}/refunds"
        await self.load.ask(client, path, {}, token=merchant, key=f"back-{back.order}")
        outputs = self.wallet.sum_of(back.amount)
        quote = write_quote_id(refund.refund_quote_id(back.key.public_key.format()))
        message = framed_quote_message(quote, [one.message for one in outputs])
        body = {
            "quote": quote,
            "outputs": [write_output(one) for one in outputs],
            "signature": back.key.sign_schnorr(message).hex(),
        }
        self.returns.remove(back)
        return Errand(_REFUND, body, [], outputs, pays=-back.amount)

    def swap(self, proofs: list[Proof]) -> Errand:
        """Take proofs out of the purse, to exchange them for fresh ones."""
        self.wallet.proofs = [proof for proof in self.wallet.proofs if proof not in proofs]
        outputs = self.wallet.sum_of(sum(proof.amount for proof in proofs))
        return Errand("/v1/swap", _body(proofs, outputs), proofs, outputs)

    def _reissue(self, proofs: list[Proof]) -> Errand:
        """Have revoked proofs issued anew, by the factors they were blinded with."""
        made = self.swap(proofs)
        factors = [self.wallet.factors[proof.secret].hex() for proof in proofs]
        shown = [
            {**each, "r": factor} for each, factor in zip(made.body["inputs"], factors, strict=True)
        ]
        return Errand(_REISSUE, {**made.body, "inputs": shown}, proofs, made.outputs)

    async def _order(self, client: httpx.AsyncClient, shop: int, amount: int) -> str:
        key = self.load.machine.world["merchants"][shop]["api_key"]
        body = {"amount": {"currency": "EUR", "minor": str(amount)}}
        order = await self.load.ask(
            client, "/v1/orders", body, token=key, key=str(self.chance.random())
        )
        return str(order["id"])

    async def _redemption(
        self, client: httpx.AsyncClient, method: str, request: Json, amount: int, *, shop: int = -1
    ) -> Errand:
        path = f"/v1/melt/quote/{method}"
        status, quote = await self.load.at_mint(client, path, {**request, "unit": "eur"})
        assert status == httpx.codes.OK, quote
        proofs, blanks = self.wallet.pick(amount), self.wallet.blanks()
        body = {"quote": quote["quote"], **_body(proofs, blanks)}
        return Errand(
            f"/v1/melt/{method}",
            body,
            proofs,
            blanks,
            pays=amount,
            shop=shop,
            is_deposit=method == "amana-account",
        )

    async def _finish(self, client: httpx.AsyncClient, errand: Errand) -> None:
        """Ask with the same bytes until there is an answer, and believe it."""
        errand.asked += 1
        status, told = await self.load.at_mint(client, errand.path, errand.body)
        if status == httpx.codes.OK:
            signatures = told.get("signatures") or told.get("change") or []
            assert told.get("state", "PAID") == "PAID", told
        else:
            # It was asked before and went through: its signatures are asked for again.
            assert told["code"] in _REPEATED.get(errand.path, ()), (errand.path, told)
            assert errand.asked > 1, "what was never asked before is not over"
            outputs = [write_output(one) for one in errand.outputs]
            status, again = await self.load.at_mint(client, "/v1/restore", {"outputs": outputs})
            assert status == httpx.codes.OK, again
            signatures = again["signatures"]
            assert len(signatures) == len(outputs), "what was spent was signed for"
        taken = self.wallet.receive(errand.outputs, signatures)
        put, got = sum(p.amount for p in errand.inputs), sum(p.amount for p in taken)
        assert put == got + errand.pays, f"{put} went in, {got} came back, {errand.pays} was paid"
        if errand.shop >= 0:
            self.paid[errand.shop] = self.paid.get(errand.shop, 0) + errand.pays
        if errand.is_deposit:
            self.deposited += errand.pays
        if errand.back is not None:
            self.returns.append(errand.back)
        self.refunded += errand.path == _REFUND
        self.issued_anew += errand.path == _REISSUE


def _body(proofs: Sequence[Proof], outputs: Sequence[Blinded]) -> Json:
    return {
        "inputs": [write_proof(proof) for proof in proofs],
        "outputs": [write_output(output) for output in outputs],
    }


@dataclass
class PurseLoad:
    """Purses that swap, pay and put back, while processes are killed."""

    machine: Machine
    chance: random.Random
    pursers: list[Purser] = field(default_factory=list)
    is_over: bool = False

    @property
    def mint(self) -> str:
        """Where the mint listens."""
        return f"http://127.0.0.1:{self.machine.port + 1}"

    def client(self) -> httpx.AsyncClient:
        """Connections that are kept alive."""
        return httpx.AsyncClient(timeout=20, trust_env=False)

    async def ask(
        self, client: httpx.AsyncClient, path: str, body: Json, *, token: str, key: str
    ) -> Json:
        """Ask the operator for something that must be answered."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        response = await _sent(client.post(self.machine.url + path, json=body, headers=headers))
        assert response.is_success, response.text
        return response.json()

    async def at_mint(self, client: httpx.AsyncClient, path: str, body: Json) -> tuple[int, Json]:
        """Ask the mint."""
        response = await _sent(client.post(self.mint + path, json=body))
        return response.status_code, response.json()

    async def fill(self) -> None:
        """Give everybody a purse, and fill it."""
        async with self.client() as client:
            (view,) = (await client.get(f"{self.mint}/v1/keys")).json()["keysets"]
            keyset = read_keyset(view)
            for number in range(len(self.machine.world["customers"])):
                chance = random.Random(self.chance.random())
                wallet = Wallet(keyset, chance.randbytes)
                self.pursers.append(Purser(self, number, wallet, chance))
            await asyncio.gather(*(purser.fill(client) for purser in self.pursers))

    async def learn(self) -> None:
        """Let everybody hear of the keyset that signs now."""
        async with self.client() as client:
            (view,) = (await client.get(f"{self.mint}/v1/keys")).json()["keysets"]
        for purser in self.pursers:
            purser.wallet.renew(read_keyset(view))

    async def run(self, seconds: float, harm: Callable[[], Awaitable[None]]) -> None:
        """Let everybody go about their errands for a while; then do harm, and end in doubt."""
        self.is_over = False
        async with self.client() as client:
            workers = [asyncio.ensure_future(self._work(client, purser)) for purser in self.pursers]
            await asyncio.sleep(seconds)
            await harm()
            self.is_over = True
            await asyncio.gather(*workers)

    async def _work(self, client: httpx.AsyncClient, purser: Purser) -> None:
        while not self.is_over:
            try:
                await purser.go_on(client)
            except InDoubt:
                await asyncio.sleep(_RETRY_S)

    async def finish(self) -> None:
        """Bring every errand that is open to its end."""
        async with self.client() as client:
            for purser in self.pursers:
                async with asyncio.timeout(_FILL_S):
                    while purser.is_busy:
                        try:
                            await purser.go_on(client)
                        except InDoubt:
                            await asyncio.sleep(_RETRY_S)

    def signatories(self) -> list[int]:
        """The processes that hold the keys."""
        assert self.machine.process is not None, "the process was started"
        process = self.machine.process.pid
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        return [
            int(child)
            for child in children
            if b"amana.purse.signatory" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

    async def kill_operator(self) -> None:
        """End the operator as a power cut does."""
        self.machine.kill()

    async def kill_signatories(self) -> None:
        """End every process that holds keys, while the operator lives."""
        for process in self.signatories():
            os.kill(process, signal.SIGKILL)


async def _sent(asking: Awaitable[httpx.Response]) -> httpx.Response:
    try:
        response = await asking
    except httpx.TransportError as failure:
        raise InDoubt from failure
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        assert response.status_code == httpx.codes.SERVICE_UNAVAILABLE, response.text
        raise InDoubt
    return response
