"""The real clock and real chance."""

import secrets
import time

from amana.kernel import Instant


class SystemClock:
    """The machine's clock."""

    def now(self) -> Instant:
        """Return the present instant."""
        return Instant(time.time_ns())


class SystemChance:
    """The operating system's randomness."""

    def draw(self, count: int) -> bytes:
        """Return `count` random bytes."""
        return secrets.token_bytes(count)
