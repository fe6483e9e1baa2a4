"""What waits for an answer for a while: in memory, bounded, and gone when its time is over."""

from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

from amana.kernel import Instant

PENDING_MAX: Final = 10_000
"""Things that wait at once; the one that came first leaves first. About 500 bytes each."""

_T = TypeVar("_T")


class Pending(Generic[_T]):
    """Things of one kind by the digest of a secret, each for the same time."""

    def __init__(self, life_ns: int, *, held_max: int = PENDING_MAX) -> None:
        assert life_ns > 0, "things wait for a while"
        assert held_max > 0, "at least one thing waits"
        self._life_ns = life_ns
        self._held_max = held_max
        self._held: dict[bytes, tuple[Instant, _T]] = {}

    def put(self, digest: bytes, thing: _T, now: Instant) -> None:
        """Let something wait."""
        self._forget(now)
        if len(self._held) >= self._held_max:
            del self._held[next(iter(self._held))]
        self._held[digest] = (Instant(now + self._life_ns), thing)

    def keep_newest(self, count: int, is_one: Callable[[_T], bool]) -> None:
        """Of some of the things that wait, drop all but the newest."""
        assert count > 0, "at least one thing is kept"
        found = [digest for digest, (_, thing) in self._held.items() if is_one(thing)]
        for digest in found[:-count]:
            del self._held[digest]

    def get(self, digest: bytes, now: Instant) -> _T | None:
        """Return what waits; None where it is not there, or its time is over."""
        held = self._held.get(digest)
        return None if held is None or held[0] <= now else held[1]

    def take(self, digest: bytes, now: Instant) -> _T | None:
        """Return what waits and let it wait no more: nobody else can take it."""
        thing = self.get(digest, now)
        self._held.pop(digest, None)
        return thing

    def held(self, now: Instant) -> Iterator[_T]:
        """Go through all that waits."""
        return (thing for ends_at, thing in self._held.values() if ends_at > now)

    def _forget(self, now: Instant) -> None:
        """Drop what is over. Lives are equal, so those that end first stand first."""
        while self._held:
            first = next(iter(self._held))
            if self._held[first][0] > now:
                return
            del self._held[first]
