"""The town's blind tokens at the real operator: fetched by name, shown by nobody knows whom.

As with money, only the curve is replaced by hashes; what is counted and kept is the operator's own.
"""

from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import msgspec

from amana.kernel import AmanaId
from amana.purse.auth import BlindAuth
from amana.purse.model import BlindedMessage, Refusal
from amana.testing.hashed import HashedSignatory
from amana.vet.hands import Disagreed

_POINT_BYTES: Final = 32
_SECRET_BYTES: Final = 32


class TokenHands:
    """What everybody has of blind tokens."""

    def __init__(self, signatory: HashedSignatory, draw: Callable[[int], bytes]) -> None:
        """Share the stand-in, and chance."""
        self._signatory = signatory
        self._draw = draw
        self._held: defaultdict[int, list[str]] = defaultdict(list)

    async def fetch(self, auth: BlindAuth, person: int, party: AmanaId, *, count: int) -> None:
        """Fetch tokens for a person, who is named.

        Raises:
            Disagreed: They were not given.
        """
        (keyset,) = auth.keysets()
        points = [b"\x02" + self._draw(_POINT_BYTES) for _ in range(count)]
        given = await auth.give(party, [BlindedMessage(keyset.id, 1, point) for point in points])
        if isinstance(given, Refusal):
            raise Disagreed(f"{count} for person {person}: {given}")
        self._held[person] += [self._draw(_SECRET_BYTES).hex() for _ in given]

    async def show(self, auth: BlindAuth, person: int, *, count: int) -> None:
        """Show tokens, each with a request that succeeds.

        Raises:
            Disagreed: One was not taken, or there is none.
        """
        for _ in range(count):
            if not self._held[person]:
                raise Disagreed(f"person {person} has none")
            admitted = await auth.admit(self._header(self._held[person].pop()))
            if isinstance(admitted, Refusal):
                raise Disagreed(f"a token of person {person}: {admitted}")
            await admitted.commit()

    def lose(self, person: int) -> None:
        """Forget what a person had: another device has the purse now, and no token of it."""
        self._held.pop(person, None)

    def _header(self, secret: str) -> str:
        token = self._signatory.token(secret)
        told = {"id": token.keyset_id, "secret": token.secret, "C": token.point.hex()}
        return "authA" + urlsafe_b64encode(msgspec.json.encode(told)).decode()
