"""What an operator does by itself: expire holds, send webhooks, change the vault's key."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from amana.kernel import DAY_NS, SECOND_NS, Instant
from amana.node.log_keeper import LOG_EVERY_S, LogKeeper
from amana.node.operator import Operator
from amana.node.purse import (
    KEYSET_ACTIVE_DAYS,
    KEYSET_LIFE_DAYS,
    TOKEN_KEYSET_LIFE_DAYS,
    final_expiry,
)
from amana.node.webhook_sender import send_webhooks
from amana.purse.keysets import AUTH_UNIT, is_rotation_due

HOLDS_EVERY_S: Final = 5.0
KEYS_EVERY_S: Final = 3_600.0
STANDING_EVERY_S: Final = 5.0
_STANDING_EVERY_S_MIN: Final = 0.25
KEYSETS_EVERY_S: Final = 3_600.0
STATEMENT_EVERY_S: Final = 600.0
_QUOTES_KEPT_NS: Final = DAY_NS
_DAY_S: Final = DAY_NS // SECOND_NS

_log: Final = logging.getLogger("amana.workers")


async def run_workers(operator: Operator) -> None:
    """Run every worker until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_every(HOLDS_EVERY_S, lambda: _expire_holds(operator)))
        group.create_task(_every(KEYS_EVERY_S, lambda: _look_after_vault(operator)))
        group.create_task(send_webhooks(operator))
        group.create_task(
            _every(standing_every_s(operator.purse.pace), lambda: _carry_out(operator))
        )
        group.create_task(_every(LOG_EVERY_S, keeper_of(operator).turn))
        group.create_task(_every(KEYSETS_EVERY_S, lambda: look_after_keysets(operator)))
        group.create_task(_every(STATEMENT_EVERY_S, lambda: publish_liabilities(operator)))


def keeper_of(operator: Operator) -> LogKeeper:
    """Return who empties the log of an operator's books."""
    return LogKeeper(operator.writer, operator.folder, operator.clock)


def standing_every_s(pace: int) -> float:
    """Return how often standing orders are carried out: oftener where the purse's hours fly."""
    return max(STANDING_EVERY_S / pace, _STANDING_EVERY_S_MIN)


async def _every(seconds: float, work: Callable[[], Awaitable[float | None]]) -> None:
    """Do some work again and again; a failure is logged and the next time comes.

    Work that did not come to its end says after how many seconds it wants its next turn.
    """
    while True:
        until_next = None
        try:
            until_next = await work()
        except Exception as failure:  # noqa: BLE001 - a worker's edge: the next turn tries again
            _log.error("worker_failed kind=%s", type(failure).__name__)
        await asyncio.sleep(seconds if until_next is None else until_next)


async def _expire_holds(operator: Operator) -> None:
    expired = await operator.payments.expire_holds(operator.clock.now())
    if expired:
        _log.info("holds_expired count=%d", len(expired))


async def _carry_out(operator: Operator) -> None:
    """Finish redemptions that were interrupted, and carry out the standing orders that are due."""
    await operator.purse.mint.recover()
    made = await operator.purse.standing.carry_out()
    if made:
        _log.info("standing_orders_made count=%d", made)


async def look_after_keysets(operator: Operator) -> None:
    """Begin a new keyset when the last one has signed long enough; drop what is over.

    Quotes go some time after their end, yesterday's counts of tokens, used tokens with their
    keyset, and the rows of e-cash when its keyset is taken nowhere any more.
    """
    purse, now = operator.purse, operator.clock.now()
    for unit, days in ((purse.unit, KEYSET_LIFE_DAYS), (AUTH_UNIT, TOKEN_KEYSET_LIFE_DAYS)):
        if is_rotation_due(
            purse.mint.keysets(),
            unit,
            now_s=now // SECOND_NS,
            life_s=days * _DAY_S,
            active_s=KEYSET_ACTIVE_DAYS * _DAY_S,
        ):
            ends = final_expiry(operator.clock, days=days)
            await purse.signatory.rotate(unit, final_expiry=ends)
            _log.info("keyset_rotated unit=%s", unit)
    await purse.store.forget_quotes(Instant(now - _QUOTES_KEPT_NS))
    await purse.auth.forget_counts()
    await purse.auth.forget_spent()
    for number in await purse.ending.carry_out():
        _log.info("keyset_dropped number=%d", number)


async def publish_liabilities(operator: Operator) -> None:
    """Publish the day's statement, if it is not there yet."""
    statement = await operator.purse.liabilities.publish()
    if statement is not None and not statement.even:
        _log.critical("liabilities_uneven day=%s", statement.day)


async def _look_after_vault(operator: Operator) -> None:
    """Replace the wrapping key when its week is over; drop old counts and ended sessions."""
    if operator.keys.is_rewrap_due(operator.clock.now()):
        for _ in operator.keys.rewrap_steps(operator.clock.now()):
            await asyncio.sleep(0)
    await operator.door.forget_counts()
    await operator.people.forget_expired_tokens()
