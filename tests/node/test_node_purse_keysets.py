"""Keysets in a running operator: they rotate, expire and are revoked, and nobody loses anything."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey
from tests.faults.holder import Wallet, write_output, write_proof
from tests.node.mint_world import Reply
from tests.node.purse_town import PurseTown, exchange, purse_town

from amana.audit import audit_folder
from amana.kernel import DAY_NS
from amana.node.purse import final_expiry
from amana.node.workers import look_after_keysets
from amana.purse.model import Code, Proof
from amana.purse.ports import Blank
from amana.testing.ecash import BlindingWallet, blind, unblind
from amana.wire.cashu import P2PK, write_secret

YEARS_NS = 366 * DAY_NS
LIFE_NS = 730 * DAY_NS


@pytest.fixture
def town(tmp_path: Path) -> Iterator[PurseTown]:
    with purse_town(tmp_path / "town") as opened:
        yield opened
    report = audit_folder(tmp_path / "town")
    assert report.is_sound, report.findings
    assert not report.unfinished


def turn(town: PurseTown, nanoseconds: int) -> None:
    """Let time pass, and the operator look after its keysets."""
    town.clock.advance(nanoseconds)
    town.run(look_after_keysets(town.operator))


def listed(town: PurseTown) -> list[Any]:
    """The list of money's keysets as everybody gets it."""
    keysets = town.at_mint("GET", "/v1/keysets").json["keysets"]
    return [one for one in keysets if one["unit"] == "eur"]


def reissue(town: PurseTown, wallet: Wallet, proofs: list[Proof], **more: Any) -> Reply:
    """Ask for fresh e-cash for revoked proofs, by their factors."""
    outputs = wallet.sum_of(sum(proof.amount for proof in proofs))
    inputs = [
        {**write_proof(proof), "r": wallet.factors[proof.secret].hex(), **more} for proof in proofs
    ]
    body = {"inputs": inputs, "outputs": [write_output(one) for one in outputs]}
    answer = town.at_mint("POST", "/v1/reissue", body)
    if answer.status == 200:
        wallet.receive(outputs, answer.json["signatures"])
    return answer


def revoke(town: PurseTown, wallet: Wallet) -> None:
    """Revoke the keyset that signs; another takes its place."""
    keysets = town.operator.purse.signatory.keysets()
    town.revoke(next(one.number for one in keysets if one.id == wallet.keyset.id))


# Rotation


def test_a_keyset_signs_for_ninety_days_and_its_proofs_stay_good(town: PurseTown) -> None:
    wallet, shop = town.filled(), town.merchant()
    first = wallet.keyset
    turn(town, 88 * DAY_NS)
    assert [one["active"] for one in listed(town)] == [True]
    turn(town, 3 * DAY_NS)
    assert [one["active"] for one in listed(town)] == [False, True]
    town.learn(wallet)
    assert wallet.keyset.id != first.id
    assert town.swap(wallet, wallet.pick(100)).status == 200
    quote = town.quote(shop.order(300)["id"])
    paid = town.pay(quote, wallet, wallet.pick(300))
    assert paid.json["state"] == "PAID", paid.body
    change = {proof.keyset_id for proof in wallet.proofs if proof.keyset_id != first.id}
    assert change == {wallet.keyset.id}
    assert wallet.total == 2_000 - 300


def test_the_list_of_keysets_only_grows_and_is_the_same_bytes_for_everybody(
    town: PurseTown,
) -> None:
    """Goal: no browser gets a list, or a mark, of its own.

    A mint of others gave each browser its own keyset and an ETag, and so traced every payment.
    """
    seen: list[Any] = []
    for _ in range(3):
        plain = town.at_mint("GET", "/v1/keysets")
        marked = town.at_mint(
            "GET", "/v1/keysets", if_none_match='"mine"', cookie="a=1", user_agent="another"
        )
        assert plain.body == marked.body
        assert plain.headers == marked.headers
        assert not {"etag", "set-cookie", "last-modified", "vary"} & set(plain.headers)
        assert plain.headers["cache-control"] == "no-store"
        ids = [one["id"] for one in plain.json["keysets"]]
        assert ids[: len(seen)] == seen, "what was listed stays where it was"
        assert len(ids) > len(seen)
        seen = ids
        for name in ids:
            town.at_mint("GET", f"/v1/keys/{name}")
        turn(town, 91 * DAY_NS)


def test_outputs_of_a_keyset_that_has_just_rotated_are_refused_and_nothing_is_spent(
    town: PurseTown,
) -> None:
    wallet = town.filled()
    proofs = wallet.pick(100)
    outputs = wallet.sum_of(sum(proof.amount for proof in proofs))
    turn(town, 91 * DAY_NS)
    refused = town.at_mint("POST", "/v1/swap", exchange(proofs, outputs))
    assert (refused.status, refused.json["code"]) == (400, Code.KEYSET_INACTIVE)
    assert set(town.states(proofs)) == {"UNSPENT"}
    town.learn(wallet)
    assert town.swap(wallet, proofs).status == 200


def test_a_refill_that_waited_over_a_rotation_is_signed_for_fresh_outputs(town: PurseTown) -> None:
    customer, wallet = town.customer(5_000), town.wallet()
    stale = [
        {"amount": one.message.amount, "B_": one.message.point.hex()}
        for one in wallet.refill(2_000)
    ]
    asked = {"tier": {"currency": "EUR", "minor": "2000"}, "keyset_id": wallet.keyset.id}
    assert customer.put("/v1/purse/refill", {**asked, "outputs": stale}).status == 200
    signatory = town.operator.purse.signatory
    town.run(signatory.rotate("eur", final_expiry=final_expiry(town.clock)))
    town.carry_out()
    assert customer.available() == 5_000, "nothing is debited that cannot be signed"
    town.learn(wallet)
    town.refill(customer, wallet)
    assert (wallet.total, customer.available()) == (2_000, 3_000)


# Expiry


def test_after_expiry_e_cash_neither_swaps_nor_pays_but_goes_into_an_account(
    town: PurseTown,
) -> None:
    wallet, shop = town.filled(5_000), town.merchant()
    turn(town, LIFE_NS)
    customer = town.customer(0)
    town.learn(wallet)
    assert town.swap(wallet, wallet.pick(100)).json["code"] == Code.KEYSET_EXPIRED
    quote = town.quote(shop.order(100)["id"])
    refused = town.pay(quote, wallet, wallet.pick(100))
    assert refused.json["code"] == Code.KEYSET_EXPIRED
    assert wallet.total == 5_000
    assert shop.balance() == 0
    address = customer.post("/v1/purse/deposits", {}).body["request"]
    quote = town.quote(address, "amana-account", amount=2_000)
    paid = town.pay(quote, wallet, wallet.pick(2_000), "amana-account")
    assert paid.json["state"] == "PAID", paid.body
    town.carry_out()
    assert (wallet.total, customer.available()) == (3_000, 2_000)


def test_years_after_expiry_the_account_takes_it_no_more(town: PurseTown) -> None:
    first, second = town.filled(), town.filled()
    years = town.operator.settings.expired_keyset_years
    turn(town, LIFE_NS + years * YEARS_NS - 40 * DAY_NS)
    codes = []
    for wallet in (first, second):
        customer = town.customer(0)
        town.learn(wallet)
        address = customer.post("/v1/purse/deposits", {}).body["request"]
        quote = town.quote(address, "amana-account", amount=2_000)
        answer = town.pay(quote, wallet, wallet.pick(2_000), "amana-account")
        codes.append(answer.json.get("code"))
        town.carry_out()
        assert customer.available() == 2_000 - wallet.total
        turn(town, 60 * DAY_NS)
    assert codes == [None, Code.KEYSET_EXPIRED]
    assert (first.total, second.total) == (0, 2_000)


# Revocation


def test_revoked_e_cash_neither_swaps_nor_pays_nor_goes_into_an_account(town: PurseTown) -> None:
    wallet, shop, customer = town.filled(), town.merchant(), town.customer(0)
    revoke(town, wallet)
    town.learn(wallet)
    assert town.swap(wallet, wallet.pick(100)).json["code"] == Code.PROOF_INVALID
    paid = town.pay(town.quote(shop.order(100)["id"]), wallet, wallet.pick(100))
    assert paid.json["code"] == Code.PROOF_INVALID
    address = customer.post("/v1/purse/deposits", {}).body["request"]
    quote = town.quote(address, "amana-account", amount=2_000)
    paid = town.pay(quote, wallet, wallet.pick(2_000), "amana-account")
    assert paid.json["code"] == Code.PROOF_INVALID
    assert wallet.total == 2_000


def test_the_list_says_which_keyset_was_revoked_and_nothing_of_the_others(
    town: PurseTown,
) -> None:
    wallet = town.filled()
    old = wallet.keyset.id
    revoke(town, wallet)
    town.learn(wallet)
    told = {one["id"]: one.get("revoked") for one in listed(town)}
    assert told == {old: True, wallet.keyset.id: None}


def test_whoever_shows_how_revoked_e_cash_was_issued_gets_fresh_e_cash(town: PurseTown) -> None:
    wallet, shop = town.filled(), town.merchant()
    assert town.swap(wallet, wallet.pick(500)).status == 200
    old = list(wallet.proofs)
    revoke(town, wallet)
    town.learn(wallet)
    given = reissue(town, wallet, old)
    assert given.status == 200, given.body
    assert set(town.states(old)) == {"SPENT"}
    wallet.proofs = [proof for proof in wallet.proofs if proof not in old]
    assert wallet.total == 2_000
    assert town.pay(town.quote(shop.order(700)["id"]), wallet, wallet.pick(700)).status == 200
    assert wallet.total == 1_300


def test_revoked_e_cash_is_exchanged_once(town: PurseTown) -> None:
    wallet = town.filled()
    old = list(wallet.proofs)
    revoke(town, wallet)
    town.learn(wallet)
    assert reissue(town, wallet, old[:5]).status == 200
    assert reissue(town, wallet, old[:5]).json["code"] == Code.ALREADY_SPENT
    assert reissue(town, wallet, old[4:6]).json["code"] == Code.ALREADY_SPENT
    assert town.state(old[5]) == "UNSPENT"


def forged(town: PurseTown, forger: Wallet, amount: int) -> Proof:
    """Sign with a stolen key: a good proof that the books know nothing of."""
    signatory = town.operator.purse.signatory
    number = next(one.number for one in signatory.keysets() if one.id == forger.keyset.id)
    outputs = forger.outputs([amount])
    (signed,) = town.run(signatory.sign([Blank(number, amount, outputs[0].message.point)]))
    assert signed is not None
    dleq = {"e": signed.dleq_e.hex(), "s": signed.dleq_s.hex()}
    view = {"id": forger.keyset.id, "amount": amount, "C_": signed.point.hex(), "dleq": dleq}
    (proof,) = forger.receive(outputs, [view])
    return proof


def test_a_forger_with_the_stolen_key_cannot_exchange(town: PurseTown) -> None:
    """Goal: a good signature alone is worth nothing once its keyset is revoked.

    The forger shows its own factor, one that belongs to another proof, and no factor at all.
    """
    wallet, forger = town.filled(), town.wallet()
    proof = forged(town, forger, 8)
    revoke(town, wallet)
    town.learn(forger)
    assert reissue(town, forger, [proof]).json["code"] == Code.PROOF_INVALID
    honest = next(each for each in wallet.proofs if each.amount == 8)
    for factor in (wallet.factors[honest.secret], bytes(32), b"\xff" * 32):
        answer = reissue(town, forger, [proof], r=factor.hex())
        assert answer.json["code"] == Code.PROOF_INVALID
    assert town.states([proof, honest]) == ["UNSPENT", "UNSPENT"]


def test_a_proof_is_exchanged_for_the_amount_it_was_signed_for(town: PurseTown) -> None:
    """Goal: with the stolen keys of all amounts, a small proof does not become a large one."""
    wallet = town.filled()
    small = next(each for each in wallet.proofs if each.amount == 1)
    signatory = town.operator.purse.signatory
    number = next(one.number for one in signatory.keysets() if one.id == wallet.keyset.id)
    point = blind(small.secret.encode(), wallet.factors[small.secret])
    (signed,) = town.run(signatory.sign([Blank(number, 512, point)]))
    assert signed is not None
    raised = unblind(signed.point, wallet.factors[small.secret], wallet.keyset.keys[512])
    large = Proof(small.keyset_id, 512, small.secret, raised)
    revoke(town, wallet)
    town.learn(wallet)
    assert reissue(town, wallet, [large]).json["code"] == Code.PROOF_INVALID
    assert reissue(town, wallet, [small]).status == 200


def test_more_is_never_exchanged_than_was_signed(town: PurseTown) -> None:
    """Goal: where false proofs were spent before the key was revoked, the books stay bounded.

    A forger pays with a false 8. Of the true ones all but one are exchanged; of the last an
    operator has to hear, and it is not spent.
    """
    wallet, forger, shop = town.filled(), town.wallet(), town.merchant()
    eights = [proof for proof in wallet.proofs if proof.amount == 8]
    paid = town.pay(town.quote(shop.order(8)["id"]), forger, [forged(town, forger, 8)])
    assert paid.status == 200, paid.body
    revoke(town, wallet)
    town.learn(wallet)
    for proof in eights[:-1]:
        assert reissue(town, wallet, [proof]).status == 200
    refused = reissue(town, wallet, eights[-1:])
    assert refused.json["code"] == Code.PROOF_INVALID
    assert "Tell the operator" in refused.json["detail"]
    assert town.state(eights[-1]) == "UNSPENT"


def test_a_locked_proof_is_exchanged_by_its_payee_alone(town: PurseTown) -> None:
    """Goal: whoever sent a locked proof knows its factor, and still cannot take it back."""
    sender, payee = town.filled(), PrivateKey(hashlib.sha256(b"payee").digest())
    text = write_secret(P2PK, "00" * 32, payee.public_key.format().hex(), ()).text
    paying = sender.pick(8)
    locked = BlindingWallet(sender.keyset, os.urandom).output(8, text)
    rest = sender.sum_of(sum(proof.amount for proof in paying) - 8)
    answer = town.at_mint("POST", "/v1/swap", exchange(paying, [locked, *rest]))
    assert answer.status == 200, answer.body
    proof = sender.receive([locked], answer.json["signatures"][:1])[0]
    sender.receive(rest, answer.json["signatures"][1:])
    revoke(town, sender)
    town.learn(sender)
    assert reissue(town, sender, [proof]).json["code"] == Code.QUOTE_SIGNATURE_INVALID
    assert town.state(proof) == "UNSPENT"
    signature = payee.sign_schnorr(hashlib.sha256(text.encode()).digest()).hex()
    witness = json.dumps({"signatures": [signature]})
    assert reissue(town, sender, [proof], witness=witness).status == 200


def test_e_cash_that_is_not_revoked_is_not_exchanged(town: PurseTown) -> None:
    wallet = town.filled()
    proofs = wallet.pick(100)
    assert reissue(town, wallet, proofs).json["code"] == Code.PROOF_INVALID
    turn(town, 91 * DAY_NS)
    town.learn(wallet)
    assert reissue(town, wallet, proofs).json["code"] == Code.PROOF_INVALID
    assert set(town.states(proofs)) == {"UNSPENT"}


def test_what_is_exchanged_balances_and_is_understood(town: PurseTown) -> None:
    wallet = town.filled()
    old = wallet.pick(100)
    revoke(town, wallet)
    town.learn(wallet)
    factor = wallet.factors[old[0].secret].hex()
    shown = {**write_proof(old[0]), "r": factor}
    little = [write_output(one) for one in wallet.outputs([1])]
    unbalanced = {"inputs": [shown], "outputs": little}
    assert town.at_mint("POST", "/v1/reissue", unbalanced).json["code"] == Code.NOT_BALANCED
    stale = town.at_mint(
        "POST",
        "/v1/reissue",
        {"inputs": [shown], "outputs": [{**little[0], "id": old[0].keyset_id}]},
    )
    assert stale.json["code"] == Code.KEYSET_INACTIVE
    empty = town.at_mint("POST", "/v1/reissue", {"inputs": [], "outputs": []})
    assert empty.json["code"] == Code.PROOF_INVALID
    for wrong in ({"r": "00"}, {"r": 1}, {"C": "02"}):
        broken = {"inputs": [{**shown, **wrong}], "outputs": little}
        assert town.at_mint("POST", "/v1/reissue", broken).status == 400
    assert town.state(old[0]) == "UNSPENT"
