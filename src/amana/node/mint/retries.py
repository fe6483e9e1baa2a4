"""Answers kept for a minute, so that a lost answer can be asked for again (NUT-19).

What is kept is a hash of the request and the answer, in memory alone. A request that comes again
while the first is under way waits for that one's answer, so that a double tap meets itself.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from amana.kernel import SECOND_NS, Clock, Instant
from amana.node.mint.routes import Answer

KEPT_S: Final = 60
"""Seconds an answer is kept: long enough for a wallet's retries, short enough to be forgotten."""

KEPT_BYTES_MAX: Final = 2**25
"""Bytes of answers kept at once; under load the oldest go earlier, and NUT-09 repeats them."""


class Retries:
    """The answers of the last minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[Instant, bytes]] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Future[Answer]] = {}
        self._bytes = 0

    async def once(self, path: str, body: bytes, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Answer as before, or do the work; only successes are kept."""
        key = hashlib.sha256(b"%s\n%s" % (path.encode(), body)).digest()
        kept = self._kept.get(key)
        if kept is not None and kept[0] > self._clock.now():
            return kept[1]
        first = self._under_way.get(key)
        if first is not None:
            return await asyncio.shield(first)
        under_way: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._under_way[key] = under_way
        try:
            answer = await work()
        except BaseException as failure:
            under_way.set_exception(failure)
            under_way.exception()  # whoever waits is told; nobody need wait
            raise
        else:
            under_way.set_result(answer)
        finally:
            del self._under_way[key]
        if isinstance(answer, bytes):
            self._keep(key, answer)
        return answer

    def sweep(self) -> bool:
        """Forget what is older than a minute; return whether anything is left."""
        now = self._clock.now()
        while self._kept:
            expires_at, answer = next(iter(self._kept.values()))
            if expires_at > now and self._bytes <= KEPT_BYTES_MAX:
                return True
            self._kept.popitem(last=False)
            self._bytes -= len(answer)
        return False

    def _keep(self, key: bytes, answer: bytes) -> None:
        if not self._kept:
            asyncio.get_running_loop().call_later(KEPT_S, self._sweep_later)
        _, before = self._kept.pop(key, (None, b""))
        self._bytes -= len(before)
        self._kept[key] = (Instant(self._clock.now() + KEPT_S * SECOND_NS), answer)
        self._bytes += len(answer)
        self.sweep()

    def _sweep_later(self) -> None:
        if self.sweep():
            asyncio.get_running_loop().call_later(1, self._sweep_later)
