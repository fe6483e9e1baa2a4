"""What an operator does by itself: expire holds, send webhooks, change the vault's key."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from amana.node.operator import Operator
from amana.node.webhook_sender import send_webhooks

HOLDS_EVERY_S: Final = 5.0
KEYS_EVERY_S: Final = 3_600.0

_log: Final = logging.getLogger("amana.workers")


async def run_workers(operator: Operator) -> None:
    """Run every worker until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_every(HOLDS_EVERY_S, lambda: _expire_holds(operator)))
        group.create_task(_every(KEYS_EVERY_S, lambda: _look_after_vault(operator)))
        group.create_task(send_webhooks(operator))


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do some work again and again; a failure is logged and the next time comes."""
    while True:
        try:
            await work()
        except Exception as failure:  # noqa: BLE001 - a worker's edge: the next turn tries again
            _log.error("worker_failed kind=%s", type(failure).__name__)
        await asyncio.sleep(seconds)


async def _expire_holds(operator: Operator) -> None:
    expired = await operator.payments.expire_holds(operator.clock.now())
    if expired:
        _log.info("holds_expired count=%d", len(expired))


async def _look_after_vault(operator: Operator) -> None:
    """Replace the wrapping key when its week is over; drop old counts and ended sessions."""
    if operator.keys.is_rewrap_due(operator.clock.now()):
        for _ in operator.keys.rewrap_steps(operator.clock.now()):
            await asyncio.sleep(0)
    await operator.door.forget_counts()
    await operator.people.forget_expired_tokens()
