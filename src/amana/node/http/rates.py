"""How often a stranger may ask: counted in memory for a minute, and forgotten."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from amana.kernel import MINUTE_NS, Instant
from amana.node.problems import ProblemRaised

CEREMONIES_A_MINUTE: Final = 120
"""Sign-up and sign-in ceremonies begun from one address in one minute."""

TOGETHER_A_MINUTE: Final = 1_000
"""The same, of everybody behind one proxy: then nothing that was begun is forgotten within ten
minutes because there is too much of it."""

_ADDRESSES_MAX: Final = 100_000
_HOST_BITS: Final = 64
_V4_ADDRESSES: Final = 2**32
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""IPv4 as a translator shows it. Source: RFC 6052, 2.1."""


class Rates:
    """Counts of the present minute by who asks; nothing of it is written anywhere."""

    def __init__(self, a_minute_max: int = CEREMONIES_A_MINUTE) -> None:
        self._a_minute_max = a_minute_max
        self._minute = 0
        self._counts: dict[str, int] = {}

    def count(self, who: str, now: Instant) -> None:
        """Count one question, or refuse it.

        Raises:
            ProblemRaised: They asked too often in this minute.
        """
        minute = now // MINUTE_NS
        if minute != self._minute or len(self._counts) > _ADDRESSES_MAX:
            self._minute = minute
            self._counts.clear()
        asked = self._counts[who] = self._counts.get(who, 0) + 1
        if asked > self._a_minute_max:
            raise ProblemRaised("too-many-requests", "Nothing was done. Try again in a minute.")


class Callers:
    """Counts strangers by address, and all whom a proxy brings together.

    Of an address of 128 bits the first 64 count: whoever has one mostly has all that begin with
    them, and would be a new stranger with each question.

    An address of this machine or of a network of one's own is a proxy's. It may be everybody's: to
    hold it to what one stranger may ask would let each of them lock all others out. No header is
    believed that names another address, since not every proxy writes one over.
    """

    def __init__(self) -> None:
        self._each = Rates()
        self._together = Rates(TOGETHER_A_MINUTE)

    def count(self, address: str, now: Instant) -> None:
        """Count one question, or refuse it.

        Raises:
            ProblemRaised: The address asked too often in this minute.
        """
        read = _read(address)
        if read is None or not read.is_global:
            self._together.count(address, now)
        else:
            self._each.count(_network_of(read), now)


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        read = ip_address(address)
    except ValueError:
        return None  # a socket in the file system: a proxy's too
    if isinstance(read, IPv4Address):
        return read
    # Where one socket hears both kinds, the short kind comes in the long form (RFC 4291, 2.5.5.2);
    # and through a translator all of it comes out of one network.
    return (
        IPv4Address(int(read) % _V4_ADDRESSES) if read in _TRANSLATED else read.ipv4_mapped or read
    )


def _network_of(address: IPv4Address | IPv6Address) -> str:
    if address.version == 4:  # noqa: PLR2004 - the kind's own name
        return str(address)
    return str(int(address) >> _HOST_BITS)
