"""A trickle of simulated customers who pay in the demo's shops."""

import asyncio
import random
from typing import Final

from amana.demo.world import PASSERS_BY, DemoWorld, fund, passer_by
from amana.kernel import Unavailable
from amana.node.operator import Operator
from amana.payments.model import Intent, Payment, PaymentKind, PaymentStatus

_PAUSE_S: Final = (2.0, 9.0)
_PRICES_MINOR: Final = (180, 250, 320, 450, 690, 1_250, 1_990, 2_400)
_TOPUP_MINOR: Final = 20_000
_KEY_BYTES: Final = 16


async def trade(operator: Operator, world: DemoWorld) -> None:
    """Pay small sums by handle at random moments, until cancelled."""
    chance = random.Random()  # noqa: S311 - play, not security
    while True:
        await asyncio.sleep(chance.uniform(*_PAUSE_S))
        shop = chance.choice(world.merchants).handle
        payer = passer_by(chance.randint(1, PASSERS_BY))
        try:
            await _buy(operator, payer, shop, chance.choice(_PRICES_MINOR))
        except Unavailable:
            continue


async def _buy(operator: Operator, handle: str, shop: str, minor: int) -> None:
    payer, payee = operator.directory.by_handle(handle), operator.directory.by_handle(shop)
    assert payer is not None, "the demo's passers-by are there"
    assert payee is not None, "the demo's shops are there"
    identifier = operator.new_id()
    key = identifier.to_bytes(_KEY_BYTES)
    paid = await operator.payments.pay(
        Intent(
            id=identifier,
            kind=PaymentKind.PURCHASE,
            initiator=payer.party,
            key=key,
            body=key,
            payer=operator.party(payer),
            payee=operator.party(payee),
            amount=minor,
            created_at=operator.clock.now(),
        )
    )
    if isinstance(paid, Payment) and paid.status is PaymentStatus.REFUSED:
        await fund(operator, handle, _TOPUP_MINOR, key=str(identifier))
