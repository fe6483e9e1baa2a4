"""Hex has one spelling: white space in it, which Python passes over, is refused as malformed.

Goal: the class, wherever bytes come in as hex. Method: each field is asked with white space in
several places, and is told what it is told of letters there that are no digits; as it should be
written, it is told something else.
"""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Final

import pytest
from tests.faults.holder import write_output, write_proof
from tests.node.mint_world import PAID_NS, Meet, MintTown, meeting, shown
from tests.node.purse_town import PurseTown, purse_town
from tests.node.town import eur
from tests.purse.locks import PREIMAGE, hash_locked, key, name, proof, said, secret, sign

from amana.purse.auth.rules import read_blind_token
from amana.purse.model import Refusal
from amana.purse.rules.conditions import plain_quote_message
from amana.wire.cashu import P2PK

POINT: Final = name(key(0))
Told = object
Spell = Callable[[str], str]
"""Writes hex in another way."""


class World:
    """An operator with its mint, another mint for tests, and whoever asks them."""

    def __init__(self, town: PurseTown, meet: Meet) -> None:
        self.town, self.meet = town, meet
        self.wallet = town.filled()
        self.customer, self.shop = town.customer(), town.merchant()

    def at_mint(self, path: str, body: Any) -> tuple[int, Any, Any]:
        """What the mint says; of what goes well, that it does."""
        answer = self.town.at_mint("POST", path, body)
        return answer.status, answer.json.get("code"), answer.json.get("detail")

    def exchange(self, *, point: Spell = str, blinded: Spell = str) -> Told:
        """Exchange a proof, which is gone if that goes well."""
        held = self.wallet.proofs[0]
        given, output = write_proof(held), write_output(self.wallet.outputs([held.amount])[0])
        given["C"], output["B_"] = point(given["C"]), blinded(output["B_"])
        told = self.at_mint("/v1/swap", {"inputs": [given], "outputs": [output]})
        if told[0] == 200:
            self.wallet.proofs.remove(held)
        return told

    def ask_for_anew(self, spell: Spell) -> Told:
        """Have a proof issued anew, as if its keyset were revoked."""
        held = self.wallet.proofs[0]
        factor = spell(self.wallet.factors[held.secret].hex())
        output = write_output(self.wallet.outputs([held.amount])[0])
        body = {"inputs": [{**write_proof(held), "r": factor}], "outputs": [output]}
        return self.at_mint("/v1/reissue", body)

    def ask_for_lost(self, spell: Spell) -> Told:
        """Ask for a lost signature."""
        output = write_output(self.wallet.outputs([1])[0])
        return self.at_mint("/v1/restore", {"outputs": [{**output, "B_": spell(output["B_"])}]})

    def sign_for_a_quote(self, spell: Spell) -> Told:
        """Have issued what is locked to a key (NUT-20)."""
        found: list[Told] = []

        async def talk(mint: MintTown) -> None:
            quote = await mint.quote(2, pubkey=POINT)
            mint.clock.advance(PAID_NS)
            blinded = mint.wallet.outputs(2)
            message = plain_quote_message(quote, [one.message for one in blinded])
            body = {"quote": quote, "outputs": shown(blinded)}
            signature = spell(key(0).sign_schnorr(message).hex())
            answer = await mint.post("/v1/mint/bolt11", {**body, "signature": signature})
            found.append((answer.status, answer.json.get("code"), answer.json.get("detail")))

        self.meet(talk)
        return found[0]

    def lock_a_quote(self, spell: Spell) -> Told:
        """Ask for a quote that is locked to a key."""
        found: list[Told] = []

        async def talk(mint: MintTown) -> None:
            body = {"unit": "sat", "amount": 2, "pubkey": spell(POINT)}
            answer = await mint.post("/v1/mint/quote/bolt11", body)
            found.append((answer.status, answer.json.get("code"), answer.json.get("detail")))

        self.meet(talk)
        return found[0]

    def refill(self, spell: Spell) -> Told:
        """Leave the next refill."""
        spells: Iterator[Spell] = chain([spell], repeat(str))
        outputs = [
            {"amount": one.message.amount, "B_": written(one.message.point.hex())}
            for one, written in zip(self.wallet.refill(2_000), spells, strict=False)
        ]
        asked = {"tier": eur(2_000), "keyset_id": self.wallet.keyset.id, "outputs": outputs}
        answer = self.customer.put("/v1/purse/refill", asked)
        return answer.status, answer.slug

    def publish_a_key(self, spell: Spell) -> Told:
        """Publish a key to which others lock e-cash."""
        answer = self.customer.put("/v1/purse/key", {"purse_key": spell(POINT)})
        return answer.status, answer.slug

    def order(self, spell: Spell) -> Told:
        """Make an order with the hash of a basket."""
        asked = {"amount": eur(100), "basket_hash": spell(PREIMAGE)}
        answer = self.shop.post("/v1/orders", asked)
        return answer.status, answer.slug


def show_a_token(spell: Spell) -> Told:
    fields = {"id": "01" * 33, "secret": "one", "C": spell(POINT), "amount": 1}
    found = read_blind_token("authA" + urlsafe_b64encode(json.dumps(fields).encode()).decode())
    return found if isinstance(found, Refusal) else "a token"


def open_a_key_lock(spell: Spell) -> Told:
    text = secret(P2PK, POINT)
    return said(proof(text, spell(sign(text, key(0))[0])))


def lock_to_a_key(spell: Spell) -> Told:
    text = secret(P2PK, spell(POINT))
    return said(proof(text, *sign(text, key(0))))


FIELDS: Final[dict[str, Callable[[World, Spell], Told]]] = {
    "a proof's C": lambda world, spell: world.exchange(point=spell),
    "an output's B_": lambda world, spell: world.exchange(blinded=spell),
    "a proof's r": World.ask_for_anew,
    "a lost output's B_": World.ask_for_lost,
    "Y": lambda world, spell: world.at_mint("/v1/checkstate", {"Ys": [spell(POINT)]}),
    "a quote's signature": World.sign_for_a_quote,
    "a quote's pubkey": World.lock_a_quote,
    "a refill's B_": World.refill,
    "purse_key": World.publish_a_key,
    "basket_hash": World.order,
    "a blind token's C": lambda _, spell: show_a_token(spell),
    "a witness's signature": lambda _, spell: open_a_key_lock(spell),
    "a lock's key": lambda _, spell: lock_to_a_key(spell),
    "a witness's preimage": lambda _, spell: said(hash_locked((), preimage=spell(PREIMAGE))),
}
SPACED: Final[dict[str, Spell]] = {
    "before": lambda text: " " + text,
    "after": lambda text: text + "\n",
    "between": lambda text: f"{text[:2]}\t{text[2:]}",
    "in place of digits": lambda text: text[:-2] + "  ",
    "between all": lambda text: " ".join(text[at : at + 2] for at in range(0, len(text), 2)),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("hex")
    with purse_town(folder / "town") as town, meeting(folder / "mint") as meet:
        yield World(town, meet)


def with_letters(spell: Spell) -> Spell:
    """Put letters where a spelling has white space."""
    return lambda text: re.sub(r"\s", "z", spell(text))


@pytest.mark.parametrize("field", FIELDS)
def test_white_space_in_hex_is_refused_as_what_is_no_hex_is(world: World, field: str) -> None:
    ask = FIELDS[field]
    spaced = {where: ask(world, spell) for where, spell in SPACED.items()}
    malformed = {where: ask(world, with_letters(spell)) for where, spell in SPACED.items()}
    assert spaced == malformed
    assert ask(world, str) not in malformed.values()
