"""Orders paid with e-cash: by quote and by payment request, receipts, refunds, codes."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from tests.node.town import SETTINGS, Answer, Client, Json, Town, eur

from amana.kernel import DAY_NS, MINUTE_NS
from amana.node.http.codes import code_of
from amana.node.mint import MintApp
from amana.node.mint.operators import create_operator_mint
from amana.node.operator import make_operator, open_operator
from amana.node.purse import (
    TOKEN_KEYSET_LIFE_DAYS,
    final_expiry,
    keyset_plan,
    make_receipt_secret,
)
from amana.purse.keysets import AUTH_UNIT, KeysetPlan, list_hash
from amana.purse.model import BlindSignature, Code, Keyset, Proof
from amana.purse.policy import refill_outputs, shipped_policy
from amana.purse.receipts import verify_receipt
from amana.purse.signatory import InProcessSignatory
from amana.testing.ecash import Blinded, BlindingWallet
from amana.testing.rooms import HandClock, SeededChance
from amana.trust import RECEIPT_SIGNING, SecretMissing
from amana.wire.cashu import P2PK, PaymentRequest, Transport, read_request, write_secret
from amana.wire.emv import CODE_CHARACTERS_MAX, ReadCode, read_code

MELT: Final = "/v1/melt/amana-merchant"
QUOTE: Final = "/v1/melt/quote/amana-merchant"
TIER: Final = 10_000
KEYS: Final = ["02" + f"{number:064x}" for number in range(1, 30)]


class PurseTown(Town):
    """A town with its mint, and somebody whose e-cash can be swapped into any sum."""

    mint: MintApp
    wallet: BlindingWallet
    proofs: list[Proof]
    chance = SeededChance(5)

    def at_mint(self, path: str, body: Json) -> Answer:
        """Send one request to the mint's origin."""
        return self.run(self.asking(path, body))

    async def asking(self, path: str, body: Json) -> Answer:
        transport = httpx.ASGITransport(self.mint)
        async with httpx.AsyncClient(transport=transport, base_url="http://mint.localhost") as http:
            response = await http.post(path, content=json.dumps(body).encode())
        return Answer(response.status_code, response.headers, response.content)

    @property
    def keyset(self) -> Keyset:
        return next(one for one in self.operator.purse.mint.keysets() if one.unit == "eur")

    def fill(self) -> None:
        """Refill the purse of a new customer through the named side."""
        customer, chance = self.customer(2 * TIER), self.chance
        self.wallet = BlindingWallet(self.keyset, chance.draw)
        outputs = [self.wallet.output(part) for part in refill_outputs(shipped_policy(), TIER)]
        left = {"tier": eur(TIER), "keyset_id": self.keyset.id, "outputs": named(outputs)}
        assert customer.put("/v1/purse/refill", left).status == 200
        self.clock.advance(10 * DAY_NS)
        self.run(self.operator.purse.standing.carry_out())
        signed = customer.get("/v1/purse/refill").body
        self.proofs = list(self.wallet.proofs(outputs, signatures(signed["signatures"])))

    def pieces(self, amount: int) -> list[Proof]:
        """Take proofs of exactly a sum out of the purse, swapping where they do not fit."""
        taken: list[Proof] = []
        for proof in sorted(self.proofs, key=lambda one: -one.amount):
            if sum(one.amount for one in taken) < amount:
                taken.append(proof)
        self.proofs = [proof for proof in self.proofs if proof not in taken]
        rest = sum(one.amount for one in taken) - amount
        assert rest >= 0, "the purse is large enough"
        outputs, back = self.wallet.outputs(amount), self.wallet.outputs(rest)
        body = {"inputs": shown(taken), "outputs": wired([*outputs, *back])}
        answer = self.at_mint("/v1/swap", body)
        assert answer.status == 200, answer.content
        fresh = self.wallet.proofs([*outputs, *back], signatures(answer.body["signatures"]))
        self.proofs += fresh[len(outputs) :]
        return list(fresh[: len(outputs)])

    def melt(self, order: str, proofs: Sequence[Proof], **more: Json) -> Answer:
        """Pay an order as our own wallet does."""
        asked = {"request": order, "unit": "eur", **more}
        quote = self.at_mint(QUOTE, asked)
        if quote.status != 200:
            return quote
        assert quote.body["receipt"] is None, "nothing is paid yet"
        return self.at_mint(MELT, {"quote": quote.body["quote"], "inputs": shown(proofs)})

    def pay(self, order: str, proofs: Sequence[Proof], **more: Json) -> Answer:
        """Pay an order as wallets by others do."""
        body = {"mint": "http://mint", "unit": "eur", "proofs": shown(proofs), **more}
        return self.at_mint(f"/v1/pay/{order}", body)


def shown(proofs: Sequence[Proof]) -> list[Json]:
    return [
        {"amount": one.amount, "id": one.keyset_id, "secret": one.secret, "C": one.point.hex()}
        for one in proofs
    ]


def wired(outputs: Sequence[Blinded]) -> list[Json]:
    return [
        {"amount": one.message.amount, "id": one.message.keyset_id, "B_": one.message.point.hex()}
        for one in outputs
    ]


def named(outputs: Sequence[Blinded]) -> list[Json]:
    return [{"amount": one.message.amount, "B_": one.message.point.hex()} for one in outputs]


def signatures(given: list[dict[str, Any]]) -> list[BlindSignature]:
    return [
        BlindSignature(
            one["id"],
            one["amount"],
            bytes.fromhex(one["C_"]),
            bytes.fromhex(one["dleq"]["e"]),
            bytes.fromhex(one["dleq"]["s"]),
        )
        for one in given
    ]


@pytest.fixture
def purse(tmp_path: Path) -> Iterator[PurseTown]:
    clock = HandClock()
    make_operator(tmp_path, SETTINGS, clock=clock)
    plans = [keyset_plan("eur", clock), KeysetPlan(AUTH_UNIT, (1,))]
    signatory = InProcessSignatory.fresh(bytes(32), plans, clock)
    with (
        asyncio.Runner() as runner,
        open_operator(tmp_path, clock=clock, mint_signatory=signatory) as operator,
    ):
        town = PurseTown(operator, runner, clock)
        town.mint = create_operator_mint(operator, town.app._app.state.openid)
        town.fill()
        yield town
        assert town.books()["balanced"], "whatever was asked, the books balance"


@pytest.fixture
def shop(purse: PurseTown) -> Client:
    return purse.merchant()


def order_of(shop: Client, order: str) -> Json:
    return shop.get(f"/v1/orders/{order}").body


def quotes(purse: PurseTown) -> int:
    """How many quotes are kept."""
    rows = purse.operator.read_connection.execute("SELECT count(*) FROM purse_redeem_quotes")
    return int(rows.fetchone()[0])


def receipt_key(purse: PurseTown, shop: Client) -> bytes:
    answer = purse.ask("GET", f"/v1/merchants/{shop.handle}/receipt-key")
    assert (answer.status, answer.body["algorithm"]) == (200, "Ed25519")
    assert answer.headers["cache-control"] == "public, max-age=86400"
    return urlsafe_b64decode(answer.body["public_key"] + "=")


def test_a_payment_from_the_purse_has_a_receipt_that_anybody_can_verify(
    purse: PurseTown, shop: Client
) -> None:
    order = shop.order(1_250, reference="R-7", tip="prompt")
    paid = purse.melt(order["id"], purse.pieces(1_300), tip=50, refund_key=KEYS[0])
    assert paid.status == 200, paid.content
    receipt = verify_receipt(paid.body["receipt"], receipt_key(purse, shop))
    assert receipt is not None
    assert (receipt.merchant, receipt.merchant_name) == (shop.handle, "Corner Bakery")
    assert (receipt.order, receipt.reference) == (order["id"], "R-7")
    assert (receipt.amount, receipt.tip, receipt.currency) == ("1250", "50", "EUR")
    assert receipt.payer_key == KEYS[0]
    assert receipt.paid_at == order_of(shop, order["id"])["concluded_at"]
    other = purse.merchant()
    assert verify_receipt(paid.body["receipt"], receipt_key(purse, other)) is None


def test_the_same_payment_asked_again_has_the_same_receipt(purse: PurseTown, shop: Client) -> None:
    order, proofs = shop.order(700)["id"], purse.pieces(700)
    quote = purse.at_mint(QUOTE, {"request": order, "unit": "eur"}).body["quote"]
    body = {"quote": quote, "inputs": shown(proofs)}
    first = purse.at_mint(MELT, body)
    assert first.status == 200, first.content
    purse.clock.advance(5 * MINUTE_NS)
    assert purse.at_mint(MELT, body).content == first.content


def test_nobody_but_a_merchant_has_a_receipt_key(purse: PurseTown) -> None:
    for handle in ("nobody-here", purse.customer(0).handle):
        assert purse.ask("GET", f"/v1/merchants/{handle}/receipt-key").slug == "not-found"


def test_the_secret_of_receipts_is_made_for_old_folders_and_never_after_it_was_used(
    purse: PurseTown, shop: Client
) -> None:
    folder, connection = purse.operator.folder, purse.operator.read_connection
    secret = folder / "signatory" / f"{RECEIPT_SIGNING}.secret"
    secret.unlink()
    first = make_receipt_secret(folder, connection=connection, chance=purse.chance)
    assert make_receipt_secret(folder, connection=connection, chance=purse.chance) == first
    assert purse.pay(shop.order(1)["id"], purse.pieces(1)).status == 200
    assert make_receipt_secret(folder, connection=connection, chance=purse.chance) == first
    secret.unlink()
    with pytest.raises(SecretMissing, match="signatory archive"):
        make_receipt_secret(folder, connection=connection, chance=purse.chance)
    assert not secret.exists()


def test_a_refund_needs_the_key_that_the_payer_left(purse: PurseTown, shop: Client) -> None:
    with_key, without = shop.order(300)["id"], shop.order(200)["id"]
    assert order_of(shop, without)["refundable"] is False
    assert order_of(shop, without)["paid_from"] is None
    assert purse.melt(with_key, purse.pieces(300), refund_key=KEYS[1]).status == 200
    assert purse.melt(without, purse.pieces(200)).status == 200
    assert [order_of(shop, one)["refundable"] for one in (with_key, without)] == [True, False]
    assert order_of(shop, without)["paid_from"] == "purse"
    before = shop.balance()
    assert shop.post(f"/v1/orders/{without}/refunds", {}).slug == "refund-needs-key"
    assert shop.balance() == before
    assert shop.post(f"/v1/orders/{with_key}/refunds", {}).status == 201
    assert order_of(shop, with_key)["refundable"] is False, "nothing is left of it"


def test_a_payment_from_an_account_can_be_given_back_as_ever(
    purse: PurseTown, shop: Client
) -> None:
    order = shop.order(100)
    assert purse.customer().pay_code(order["code"], 100).status == 201
    seen = order_of(shop, order["id"])
    assert (seen["paid_from"], seen["refundable"]) == ("account", True)


def test_a_key_that_was_left_before_is_refused_with_nothing_spent(
    purse: PurseTown, shop: Client
) -> None:
    first, second, third = (shop.order(100)["id"] for _ in range(3))
    asked = {"unit": "eur", "refund_key": KEYS[2]}
    early = purse.at_mint(QUOTE, {"request": second, **asked}).body["quote"]
    assert purse.melt(first, purse.pieces(100), refund_key=KEYS[2]).status == 200
    proofs = purse.pieces(100)
    for answer in (
        purse.at_mint(QUOTE, {"request": third, **asked}),
        purse.at_mint(MELT, {"quote": early, "inputs": shown(proofs)}),
    ):
        assert (answer.status, answer.body["code"]) == (400, Code.PAYMENT_FAILED)
        assert "new key" in answer.body["detail"]
    assert purse.melt(second, proofs, refund_key=KEYS[3]).status == 200


def test_an_order_is_a_payment_request_to_wallets_by_others(shop: Client) -> None:
    order = shop.order(450, reference="R-9")
    assert order["cashu_request"].startswith("CREQB1")
    assert read_request(order["cashu_request"]) == PaymentRequest(
        id=order["id"],
        amount=450,
        unit="eur",
        is_single_use=True,
        mints=(SETTINGS.mint_url,),
        description="R-9",
        transports=(Transport("post", f"{SETTINGS.mint_url}/v1/pay/{order['id']}"),),
    )
    assert order_of(shop, order["id"])["cashu_request"] == order["cashu_request"]
    assert shop.order(450, capture="manual")["cashu_request"] is None


def test_a_payment_by_request_goes_straight_into_the_order_and_repeats_its_answer(
    purse: PurseTown, shop: Client
) -> None:
    order, proofs = shop.order(450, reference="R-9")["id"], purse.pieces(450)
    first = purse.pay(order, proofs, id=order, memo="for bread")
    assert first.status == 200, first.content
    assert first.body["status"] == "paid"
    receipt = verify_receipt(first.body["receipt"], receipt_key(purse, shop))
    assert receipt is not None
    assert (receipt.order, receipt.payer_key) == (order, None)
    for minutes, repeated in ((0, {}), (5, {}), (60, {"id": order}), (600, {"memo": "again"})):
        purse.clock.advance(minutes * MINUTE_NS)
        assert purse.pay(order, list(reversed(proofs)), **repeated).content == first.content
    seen = order_of(shop, order)
    assert (seen["status"], seen["paid"], seen["refundable"]) == ("paid", eur(450), False)
    assert seen["cashu_request"] is None, "nothing is asked for any more"
    late = purse.pay(order, purse.pieces(450))
    assert late.body["code"] == Code.ALREADY_PAID
    assert shop.balance() == 450


def test_a_payment_by_request_may_name_its_keyset_as_tokens_do(
    purse: PurseTown, shop: Client
) -> None:
    order, proofs = shop.order(64)["id"], shown(purse.pieces(64))
    short = [{**one, "id": one["id"][:16]} for one in proofs]
    for length in (14, 18):
        other = [{**one, "id": one["id"][:length]} for one in proofs]
        refused = purse.at_mint(f"/v1/pay/{order}", {"unit": "eur", "proofs": other})
        assert refused.body["code"] == Code.KEYSET_UNKNOWN
    first = purse.at_mint(f"/v1/pay/{order}", {"unit": "eur", "proofs": short})
    assert first.status == 200, first.content
    whole = purse.at_mint(f"/v1/pay/{order}", {"unit": "eur", "proofs": proofs})
    assert whole.content == first.content, "the same proofs, however their keyset is named"
    assert shop.balance() == 64


def test_two_payments_of_one_order_at_once_spend_the_proofs_of_one(
    purse: PurseTown, shop: Client
) -> None:
    order = shop.order(64)["id"]
    path = f"/v1/pay/{order}"
    bodies = [{"unit": "eur", "proofs": shown(purse.pieces(64))} for _ in range(2)]
    asked = [*bodies, {**bodies[0], "memo": "the same proofs, other bytes"}]
    answers = purse.together(*(purse.asking(path, body) for body in asked))
    assert 200 in {answer.status for answer in answers}
    again = [purse.at_mint(path, body) for body in asked]
    assert sorted(answer.status for answer in again[:2]) == [200, 400]
    assert again[2].content == again[0].content
    assert shop.balance() == 64


def test_what_is_not_exactly_the_order_is_refused_with_nothing_spent(
    purse: PurseTown, shop: Client
) -> None:
    order, other, held = (
        shop.order(100)["id"],
        shop.order(1)["id"],
        shop.order(100, capture="manual")["id"],
    )
    proofs, small = purse.pieces(100), purse.pieces(1)
    false = [Proof(one.keyset_id, one.amount, one.secret + "x", one.point) for one in proofs]
    strange = [Proof("01" + "0" * 64, 100, "s", proofs[0].point)]
    refused = [
        (purse.pay(order, proofs + small), Code.NOT_BALANCED, "exactly 100"),
        (purse.pay(order, proofs[1:]), Code.NOT_BALANCED, "exactly 100"),
        (purse.pay(order, []), Code.PROOF_INVALID, "no proofs"),
        (purse.pay(order, false), Code.PROOF_INVALID, "verified"),
        (purse.pay(order, strange), Code.KEYSET_UNKNOWN, "not found"),
        (purse.pay(order, proofs * 2), Code.DUPLICATE_INPUTS, "Duplicate"),
        (purse.pay(order, proofs, unit="sat"), Code.UNITS_DIFFER, "'eur'"),
        (purse.pay(order, proofs, id=other), Code.PAYMENT_FAILED, "another order"),
        (purse.pay(order, proofs, id="x"), Code.PAYMENT_FAILED, "another order"),
        (purse.pay(order, proofs * 300), Code.TOO_MANY_INPUTS, "at most"),
        (purse.pay(held, proofs), Code.PAYMENT_FAILED, "only an account can do"),
        (purse.pay("ord_" + "1" * 26, proofs), Code.PAYMENT_FAILED, "no such order"),
        (purse.pay("x", proofs), Code.PAYMENT_FAILED, "no such order"),
    ]
    for answer, code, words in refused:
        assert (answer.status, answer.body["code"]) == (400, code), answer.content
        assert words in answer.body["detail"]
    assert quotes(purse) == 0, "what is refused leaves no row"
    assert purse.pay(order, proofs).status == 200
    assert purse.pay(other, proofs[:1]).status == 400
    assert purse.pay(other, small).status == 200


def test_proofs_that_cannot_pay_leave_no_row_at_any_order(purse: PurseTown, shop: Client) -> None:
    """Goal: nobody needs a token here, and of spent or locked proofs there are ever other sums."""
    spent = [proof for _ in range(4) for proof in purse.pieces(1)]
    for proof in spent:
        assert purse.pay(shop.order(1)["id"], [proof]).status == 200
    (plain,) = purse.pieces(4)
    lock = write_secret(P2PK, "00" * 32, KEYS[0]).text
    output = purse.wallet.output(4, secret=lock)
    body = {"inputs": shown([plain]), "outputs": wired([output])}
    swapped = purse.at_mint("/v1/swap", body).body["signatures"]
    (locked,) = purse.wallet.proofs([output], signatures(swapped))
    before = quotes(purse)
    order, larger = shop.order(2)["id"], shop.order(4)["id"]
    for pair in combinations(spent, 2):
        assert purse.pay(order, pair).body["code"] == Code.ALREADY_SPENT
    assert purse.pay(larger, [locked]).body["code"] == Code.QUOTE_SIGNATURE_INVALID
    assert quotes(purse) == before


def test_an_order_that_is_over_takes_no_e_cash(purse: PurseTown, shop: Client) -> None:
    proofs = purse.pieces(100)
    order, short = shop.order(100)["id"], shop.order(100, expires_in_s=60)["id"]
    assert shop.post(f"/v1/orders/{order}/cancel", {}).status == 200
    purse.clock.advance(2 * MINUTE_NS)
    for one in (order, short):
        assert purse.pay(one, proofs).body["code"] == Code.QUOTE_EXPIRED
        assert order_of(shop, one)["cashu_request"] is None
    assert purse.pay(shop.order(100)["id"], proofs).status == 200


def hash_in(code: str) -> bytes | None:
    read = read_code(code)
    assert isinstance(read, ReadCode)
    return read.code.keysets


def test_codes_carry_the_hash_of_the_keysets_and_an_orders_never_changes(
    purse: PurseTown, shop: Client
) -> None:
    mint = purse.operator.purse.mint
    first = list_hash(mint.keysets())
    order = shop.post("/v1/orders", {"amount": eur(5), "expires_in_s": 86_400}, "k").body
    facts = purse.operator.directory.by_handle(shop.handle)
    assert facts is not None
    assert {hash_in(order["code"]), hash_in(code_of(purse.operator, facts))} == {first}
    expiry = final_expiry(purse.clock)
    purse.run(purse.operator.purse.signatory.rotate("eur", final_expiry=expiry))
    second = list_hash(mint.keysets())
    assert second != first
    again = shop.post("/v1/orders", {"amount": eur(5), "expires_in_s": 86_400}, "k").body
    assert again["code"] == order_of(shop, order["id"])["code"] == order["code"]
    assert hash_in(code_of(purse.operator, facts)) == second
    assert hash_in(shop.order(5)["code"]) == first, "a keyset may take a moment to be listed"
    purse.clock.advance(MINUTE_NS)
    assert hash_in(shop.order(5)["code"]) == second


def test_codes_carry_the_keysets_of_tokens_and_an_orders_keeps_those_of_its_hour(
    purse: PurseTown, shop: Client
) -> None:
    mint = purse.operator.purse.mint
    money = [keyset for keyset in mint.keysets() if keyset.unit != AUTH_UNIT]
    assert money
    assert len(money) < len(mint.keysets())
    first = list_hash(mint.keysets())
    assert first != list_hash(money)
    order = shop.post("/v1/orders", {"amount": eur(5), "expires_in_s": 86_400}, "k").body
    expiry = final_expiry(purse.clock, days=TOKEN_KEYSET_LIFE_DAYS)
    purse.run(purse.operator.purse.signatory.rotate(AUTH_UNIT, final_expiry=expiry))
    second = list_hash(mint.keysets())
    purse.clock.advance(MINUTE_NS)
    assert hash_in(shop.order(5)["code"]) == second != first
    assert order_of(shop, order["id"])["code"] == order["code"]
    assert hash_in(order["code"]) == first


def test_a_code_that_names_fill_goes_without_the_hash(purse: PurseTown) -> None:
    languages = ("ar", "zh", "fa", "ur", "hi", "de", "es")
    answers = (
        purse.merchant(names=dict.fromkeys(languages, "n" * length)).post(
            "/v1/orders", {"amount": eur(5)}
        )
        for length in range(25, 0, -1)
    )
    answer = next(answer for answer in answers if answer.status == 201)
    code = answer.body["code"]
    assert CODE_CHARACTERS_MAX - 48 < len(code) <= CODE_CHARACTERS_MAX
    assert hash_in(code) is None
