"""What once broke the purse: each of these was found by somebody who tried."""

from tests.node.town import Town

from amana.purse.methods import merchant
from amana.purse.model import Code, RedeemAsk, RedeemQuote, Refusal
from amana.purse.standing import DepositState


def _ask(town: Town, **more: object) -> RedeemQuote | Refusal:
    shop = town.merchant()
    fields = {key: value for key, value in more.items() if key != "amount"}
    amount = more.get("amount")
    assert amount is None or isinstance(amount, int)
    asked = RedeemAsk(f"@{shop.handle}", "eur", amount, fields)
    return town.run(town.operator.purse.mint.redeem_quote(merchant.METHOD, asked))


def test_a_tip_on_nothing_is_no_payment(town: Town) -> None:
    refused = _ask(town, amount=0, tip=4)
    assert isinstance(refused, Refusal)
    assert refused.code is Code.AMOUNT_OUT_OF_RANGE


def test_a_refund_key_is_a_point_of_the_curve_in_hex(town: Town) -> None:
    good = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    kept = _ask(town, amount=200, refund_key=good)
    assert isinstance(kept, RedeemQuote)
    assert bytes.fromhex(good) in kept.target
    for bad in ("02" + "11" * 8 + " " * 48, "02" + "ff" * 32, good.upper(), 7, None):
        quote = _ask(town, amount=200, refund_key=bad)
        assert isinstance(quote, RedeemQuote)
        assert b"\xc0" in quote.target, "no key is kept"


def test_an_account_is_not_closed_while_money_is_on_its_way_to_it(own_town: Town) -> None:
    owner = own_town.customer(0)
    facts = own_town.operator.directory.by_handle(owner.handle)
    assert facts is not None
    connection = own_town.operator.writer
    address = owner.post("/v1/purse/deposits", {}).body["request"].rpartition(":")[2]
    own_town.run(
        connection.run(
            lambda books: books.execute(
                "UPDATE purse_deposits SET state = 2, amount = 500 WHERE id = ?",
                (bytes.fromhex(address),),
            ).close()
        )
    )
    closing = f"/v1/operator/customers/{owner.handle}/close"
    assert own_town.staff.post(closing, {}).slug == "account-holds-money"


def test_an_account_has_one_unused_address_and_it_has_no_time(own_town: Town) -> None:
    owner = own_town.customer()
    for _ in range(3):
        owner.post("/v1/purse/deposits", {})
    rows = own_town.operator.read_connection.execute(
        "SELECT state, due_at FROM purse_deposits"
    ).fetchall()
    assert rows == [(int(DepositState.OPEN), 0)]
