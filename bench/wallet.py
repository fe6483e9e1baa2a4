"""A wallet's side of e-cash for load: proofs and outputs by the ten thousand, quickly.

One blinding factor serves for every output, which makes blinding and unblinding an addition each.
That gives away who paid, and is for benches only.
"""

import hashlib
import os
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from coincurve import PrivateKey, PublicKey

_DOMAIN = b"Secp256k1_HashToCurve_Cashu_"
OUTPUTS_AT_ONCE = 500
_PAID_WITHIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Output:
    """A secret, and the point that the mint is asked to sign."""

    amount: int
    secret: str
    point: str


@dataclass(frozen=True, slots=True)
class Coin:
    """A proof: a secret, and the mint's signature on it."""

    amount: int
    secret: str
    signature: str


def hash_to_curve(message: bytes) -> PublicKey:
    """Return the point of a secret (NUT-00)."""
    digest = hashlib.sha256(_DOMAIN + message).digest()
    counter = 0
    while True:
        candidate = hashlib.sha256(digest + counter.to_bytes(4, "little")).digest()
        try:
            return PublicKey(b"\x02" + candidate)
        except ValueError:
            counter += 1


class Wallet:
    """One keyset, and the means to make outputs and proofs for it."""

    def __init__(self, keyset_id: str, keys: Mapping[int, bytes]) -> None:
        self.keyset_id = keyset_id
        factor = PrivateKey()
        self._shift = factor.public_key
        self._returns = {
            amount: _negative(PublicKey(key).multiply(factor.secret))
            for amount, key in keys.items()
        }

    def output(self, amount: int) -> Output:
        """Make one output with a new secret."""
        secret = os.urandom(32).hex()
        blinded = PublicKey.combine_keys([hash_to_curve(secret.encode()), self._shift])
        return Output(amount, secret, blinded.format().hex())

    def coin(self, output: Output, signature: bytes) -> Coin:
        """Unblind the mint's answer to an output."""
        blinded = PublicKey(signature)
        point = PublicKey.combine_keys([blinded, self._returns[output.amount]])
        return Coin(output.amount, output.secret, point.format().hex())

    def message(self, output: Output) -> dict[str, Any]:
        """Return an output as the wire has it."""
        return {"amount": output.amount, "id": self.keyset_id, "B_": output.point}

    def proof(self, coin: Coin) -> dict[str, Any]:
        """Return a proof as the wire has it."""
        return {
            "amount": coin.amount,
            "id": self.keyset_id,
            "secret": coin.secret,
            "C": coin.signature,
        }

    def token(self, coin: Coin) -> str:
        """Return a blind token as its header carries it (NUT-22)."""
        shown = {"id": self.keyset_id, "secret": coin.secret, "C": coin.signature}
        return "authA" + urlsafe_b64encode(msgspec.json.encode(shown)).rstrip(b"=").decode()

    def swaps(self, coins: Sequence[Coin], *, inputs: int = 2) -> Iterator[bytes]:
        """Make the bodies of swaps, each of some coins for new ones of the same amounts."""
        for start in range(0, len(coins) - inputs + 1, inputs):
            spent = sorted(coins[start : start + inputs], key=lambda coin: coin.amount)
            yield msgspec.json.encode(
                {
                    "inputs": [self.proof(coin) for coin in spent],
                    "outputs": [self.message(self.output(coin.amount)) for coin in spent],
                }
            )


def withdraw(url: str, unit: str, amounts: Sequence[int]) -> tuple[Wallet, list[Coin]]:
    """Issue coins over a mint's API against invoices that pay themselves."""
    with httpx.Client(base_url=url, timeout=60) as client:
        listed = client.get("/v1/keys").raise_for_status().json()["keysets"]
        keyset = next(keyset for keyset in listed if keyset["unit"] == unit)
        keys = {int(amount): bytes.fromhex(key) for amount, key in keyset["keys"].items()}
        wallet = Wallet(keyset["id"], keys)
        chunks = [
            amounts[start : start + OUTPUTS_AT_ONCE]
            for start in range(0, len(amounts), OUTPUTS_AT_ONCE)
        ]
        quotes = [_quote(client, unit, sum(chunk)) for chunk in chunks]
        coins: list[Coin] = []
        for chunk, quote in zip(chunks, quotes, strict=True):
            _wait(client, quote)
            outputs = [wallet.output(amount) for amount in chunk]
            body = {"quote": quote, "outputs": [wallet.message(output) for output in outputs]}
            answer = client.post("/v1/mint/bolt11", json=body)
            assert answer.is_success, answer.text
            signatures = answer.json()["signatures"]
            coins += [
                wallet.coin(output, bytes.fromhex(signature["C_"]))
                for output, signature in zip(outputs, signatures, strict=True)
            ]
    return wallet, coins


def _quote(client: httpx.Client, unit: str, amount: int) -> str:
    answer = client.post("/v1/mint/quote/bolt11", json={"unit": unit, "amount": amount})
    assert answer.is_success, answer.text
    return str(answer.json()["quote"])


def _wait(client: httpx.Client, quote: str) -> None:
    until = time.monotonic() + _PAID_WITHIN_SECONDS
    while time.monotonic() < until:
        answer = client.get(f"/v1/mint/quote/bolt11/{quote}").raise_for_status()
        if answer.json()["state"] == "PAID":
            return
        time.sleep(0.1)
    raise TimeoutError("The quote was not paid")


def _negative(point: PublicKey) -> PublicKey:
    """Return the point's mirror image: in compressed form only the first byte differs."""
    compressed = point.format()
    return PublicKey(bytes([compressed[0] ^ 1]) + compressed[1:])
