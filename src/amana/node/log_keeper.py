"""Who keeps the books' log empty: what stands in it is in the order of its coming.

Somebody who reads the books for long keeps the log from being emptied: what he reads stands in it.
Nobody waits for him. The keeper asks again every few seconds, and says so if that goes on. When it
was last emptied is kept beside the log, for whoever asks about the operator's health.
"""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Final

from amana.kernel import SECOND_NS, Clock, Instant, Unavailable
from amana.storage import BooksLog, Writer, mark_log_emptied

LOG_EVERY_S: Final = 60.0
"""Seconds after which the log is emptied."""
LOG_AGAIN_S: Final = 5.0
"""Seconds after which the keeper asks again where somebody reads."""
_TRIES_UNTOLD: Final = 36
"""Tries in vain until the keeper says so: three minutes of them."""
LOG_KEPT_S: Final = LOG_EVERY_S + _TRIES_UNTOLD * LOG_AGAIN_S
"""Seconds after which a log that was not emptied is no longer what is stated of it."""
_TRIES_AT_STOP: Final = 8
_AT_STOP_AGAIN_S: Final = 0.25

_log: Final = logging.getLogger("amana.workers")


def kept_since(log: BooksLog, now: Instant) -> Instant | None:
    """Return since when the log was not emptied, if that is longer than stated."""
    since = log.emptied_at
    if log.bytes == 0 or since is None or now - since <= LOG_KEPT_S * SECOND_NS:
        return None
    return since


class LogKeeper:
    """Empties the log, and remembers for how long it could not."""

    def __init__(self, writer: Writer, folder: Path, clock: Clock) -> None:
        self._writer = writer
        self._folder = folder
        self._clock = clock
        self._in_vain = 0

    async def turn(self) -> float | None:
        """Empty the log; where somebody reads, return the seconds until the next try."""
        if await self._is_emptied():
            if self._in_vain >= _TRIES_UNTOLD:
                _log.info("books_log_emptied after_s=%d", self._in_vain * LOG_AGAIN_S)
            self._in_vain = 0
            return None
        self._in_vain += 1
        if self._in_vain == _TRIES_UNTOLD:
            _say_kept(self._in_vain * LOG_AGAIN_S)
        return LOG_AGAIN_S

    async def stop(self) -> None:
        """Empty the log for the last time; whoever reads is given a moment to end."""
        for _ in range(_TRIES_AT_STOP):
            if await self._is_emptied():
                return
            await asyncio.sleep(_AT_STOP_AGAIN_S)
        _say_kept(_TRIES_AT_STOP * _AT_STOP_AGAIN_S)

    async def _is_emptied(self) -> bool:
        try:
            is_emptied = await self._writer.carry_over()
        except Unavailable:
            return False
        if is_emptied:
            # Where that cannot be written, the log is shown as older than it is.
            with suppress(OSError):
                mark_log_emptied(self._folder, self._clock.now())
        return is_emptied


def _say_kept(seconds: float) -> None:
    _log.warning(
        "books_log_kept for_s=%d reason=%s",
        seconds,
        "somebody has had the books open for reading all this time (an audit, a backup, a tool), "
        "or they cannot be written; until that ends the log tells what was written together",
    )
