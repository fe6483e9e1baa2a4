"""Between quote and redemption the payee's side changes: whoever pays keeps the money.

Each case ends with the same proofs paying something else, because nothing of them was spent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.node.mint_world import Reply
from tests.node.purse_town import PurseTown, purse_town, redemption
from tests.node.town import Answer, Client

from amana.audit import audit_folder
from amana.kernel import DAY_NS
from amana.purse.model import Code


@pytest.fixture
def town(tmp_path: Path) -> Iterator[PurseTown]:
    with purse_town(tmp_path / "town") as opened:
        yield opened
    report = audit_folder(tmp_path / "town")
    assert report.is_sound, report.findings
    assert not report.unfinished


def close(town: PurseTown, shop: Client, order: Any) -> None:
    del order
    facts = town.operator.directory.by_handle(shop.handle)
    assert facts is not None
    closed = town.run(town.operator.people.close(facts.party))
    assert closed is None


def pay_by_account(town: PurseTown, shop: Client, order: Any) -> None:
    del shop
    paid = town.customer(5_000).pay_code(order["code"], order["amount"]["minor"])
    assert paid.status == 201, paid.content


def cancel(town: PurseTown, shop: Client, order: Any) -> None:
    del town
    assert shop.post(f"/v1/orders/{order['id']}/cancel", {}).status == 200


def expire(town: PurseTown, shop: Client, order: Any) -> None:
    del shop, order
    town.clock.advance(2 * DAY_NS)


@pytest.mark.parametrize(
    ("happens", "code", "word"),
    [
        (close, Code.PAYMENT_FAILED, "takes no more payments"),
        (pay_by_account, Code.ALREADY_PAID, "paid already"),
        (cancel, Code.QUOTE_EXPIRED, "cancelled"),
        (expire, Code.QUOTE_EXPIRED, "expired"),
    ],
)
def test_what_happens_between_quote_and_payment_costs_the_payer_nothing(
    town: PurseTown,
    happens: Callable[[PurseTown, Client, Any], None],
    code: Code,
    word: str,
) -> None:
    wallet, shop, other = town.filled(), town.merchant(), town.merchant()
    order = shop.order(300)
    quote = town.quote(order["id"])
    proofs = wallet.pick(300)
    happens(town, shop, order)
    refused = town.pay(quote, wallet, proofs)
    assert (refused.status, refused.json["code"]) == (400, code), refused.body
    assert word in refused.json["detail"]
    assert set(town.states(proofs)) == {"UNSPENT"}
    assert wallet.total == 2_000
    wallet.proofs = [proof for proof in wallet.proofs if proof not in proofs]
    paid = town.pay(town.quote(other.order(300)["id"]), wallet, proofs)
    assert paid.status == 200, paid.body
    assert wallet.total == 1_700


async def both(account: Awaitable[Answer], purse: Awaitable[Reply]) -> tuple[Answer, Reply]:
    return await asyncio.gather(account, purse)


def test_an_order_that_purse_and_account_pay_at_once_is_paid_once(town: PurseTown) -> None:
    wallet, shop, customer = town.filled(), town.merchant(), town.customer(1_000)
    for _ in range(8):
        order = shop.order(50)
        quote, proofs, blanks = town.quote(order["id"]), wallet.pick(50), wallet.blanks()
        body = {"code": order["code"], "amount": {"currency": "EUR", "minor": "50"}}
        asked = redemption(quote, proofs, blanks)
        account, purse = town.run(
            both(
                customer.send("POST", "/v1/payments", body, key=order["id"]),
                town.asked("POST", "/v1/melt/amana-merchant", asked),
            )
        )
        assert (account.status == 201) != (purse.status == 200), (account, purse)
        if purse.status == 200:
            wallet.receive(blanks, purse.json.get("change", []))
        else:
            wallet.put_back(proofs)
    spent = 2_000 - wallet.total
    assert spent + 1_000 - customer.available() == 8 * 50
