"""What is decided about webhooks: which addresses, when to try again, when to stop."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, assert_never

from amana.events.model import EventKind
from amana.events.webhooks.model import (
    ATTEMPTS_MAX,
    JITTER_PARTS,
    REPLAYED_EVENTS_MAX,
    RETRY_DELAYS_NS,
    URL_CHARACTERS_MAX,
    WEBHOOKS_PER_MERCHANT_MAX,
    Answered,
    Decision,
    Delivered,
    Delivery,
    DeliveryStatus,
    Gone,
    Outcome,
    Parked,
    RetryAt,
    Target,
    Webhook,
    WebhookReason,
    WebhookRefused,
)
from amana.kernel import IdKind, Instant, format_id

CHANCE_MAX: Final = 2**16
"""A draw for the jitter is below this."""

_SUCCESSES: Final = range(200, 300)
_GONE: Final = 410
_PORT_MAX: Final = 65_535
_PORTS: Final = {"http": 80, "https": 443}
_URL: Final = re.compile(
    r"(https?)://(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)"
    r"(?::([0-9]{1,5}))?((?:[/?][!-\"$-\[\]-~]*)?)",
    re.ASCII,
)
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
_UNICAST: Final = IPv6Network("2000::/3")
"""The only part of IPv6 that is handed out to the public internet. Source: RFC 4291, 2.4."""
_V4_BITS: Final = 2**32


def decide_next(attempts: int, outcome: Outcome, *, now: Instant, chance: int) -> Decision:
    """Decide what follows an attempt.

    Args:
        attempts: How many were made, with this one; at least 1.
        outcome: What came of this one. Any answer from 200 to 299 is a success; a redirection
            is not followed, so it is a failure like any other.
        now: When it ended.
        chance: 0 to CHANCE_MAX - 1, by which the wait is lengthened: many endpoints that fell
            together do not come back to a stampede.
    """
    assert attempts >= 1, "there was an attempt"
    assert 0 <= chance < CHANCE_MAX, "chance is 16 bits"
    error = f"status-{outcome.status}" if isinstance(outcome, Answered) else outcome.value
    if isinstance(outcome, Answered) and outcome.status in _SUCCESSES:
        return Delivered()
    if isinstance(outcome, Answered) and outcome.status == _GONE:
        return Gone(error)
    if attempts >= ATTEMPTS_MAX:
        return Parked(error)
    delay_ns = RETRY_DELAYS_NS[attempts - 1]
    jitter_ns = delay_ns * chance // (CHANCE_MAX * JITTER_PARTS)
    return RetryAt(Instant(now + delay_ns + jitter_ns), error)


def concluded(webhook: Webhook, number: int, attempts: int, decision: Decision) -> Delivery:
    """Return the delivery as the decision leaves it."""
    match decision:
        case Delivered():
            return Delivery(webhook.id, number, attempts, DeliveryStatus.DELIVERED)
        case RetryAt(at, error):
            return Delivery(webhook.id, number, attempts, DeliveryStatus.WAITING, at, error)
        case Parked(error) | Gone(error):
            return Delivery(webhook.id, number, attempts, DeliveryStatus.PARKED, None, error)
        case _:
            assert_never(decision)


def wants(webhook: Webhook, kind: EventKind) -> bool:
    """Whether a webhook asked for events of this kind."""
    return not webhook.kinds or kind in webhook.kinds


def message_id(webhook: Webhook, number: int) -> str:
    """Return the id of an event's message: the same in every attempt and every replay."""
    return f"{format_id(IdKind.WEBHOOK, webhook.id)}_{number}"


def read_url(text: str) -> Target | None:
    """Take a webhook's address apart; None where it is not exactly one.

    Names in other scripts are written in their ASCII form. User names, passwords and fragments
    have no place here.
    """
    match = _URL.fullmatch(text) if len(text) <= URL_CHARACTERS_MAX else None
    if match is None:
        return None
    scheme, host, port, path = match.groups()
    number = int(port) if port else _PORTS[scheme]
    if not 1 <= number <= _PORT_MAX:
        return None
    return Target(
        is_secure=scheme == "https",
        host=host.strip("[]").lower(),
        port=number,
        authority=host.lower() if number == _PORTS[scheme] else f"{host.lower()}:{number}",
        path=path if path.startswith("/") else f"/{path}",
    )


def read_kinds(texts: Iterable[str]) -> frozenset[EventKind] | WebhookRefused:
    """Read the kinds a merchant asks for; none means all."""
    known = {kind.value: kind for kind in EventKind}
    wanted = list(texts)
    if any(text not in known for text in wanted):
        return WebhookRefused(WebhookReason.KIND_UNKNOWN)
    return frozenset(known[text] for text in wanted)


def decide_webhook(
    target: Target | None, *, held: int, is_play_money: bool
) -> WebhookRefused | None:
    """Refuse a webhook that could never be delivered to, or one too many.

    Where a name leads is looked up before each attempt, not here: it can change.
    """
    if target is None:
        return WebhookRefused(WebhookReason.URL_NOT_UNDERSTOOD)
    address = _literal(target.host)
    is_here = target.host == "localhost" or target.host.endswith(".localhost")
    if address is not None:
        is_here = address.is_loopback
    if not target.is_secure and not (is_play_money and is_here):
        return WebhookRefused(WebhookReason.URL_NOT_SECURE)
    if address is not None and not is_allowed(address, target, is_play_money=is_play_money):
        return WebhookRefused(WebhookReason.URL_NOT_PUBLIC)
    if is_here and not is_play_money:
        return WebhookRefused(WebhookReason.URL_NOT_PUBLIC)
    if held >= WEBHOOKS_PER_MERCHANT_MAX:
        return WebhookRefused(WebhookReason.TOO_MANY)
    return None


def decide_replay(*, after: int, head: int) -> WebhookRefused | None:
    """Refuse a replay over more events than one replay may reach back."""
    if head - after > REPLAYED_EVENTS_MAX:
        return WebhookRefused(WebhookReason.TOO_FAR_BACK)
    return None


def is_allowed(address: IPv4Address | IPv6Address, target: Target, *, is_play_money: bool) -> bool:
    """Whether a message may be sent to this address.

    Without this rule a merchant could make the operator knock on doors inside its own network.
    Loopback serves demonstrations, with or without TLS; everything else must be TLS to an address
    of the public internet, however the address is wrapped.
    """
    if isinstance(address, IPv6Address) and (inner := _wrapped(address)) is not None:
        address = inner
    if address.is_loopback:
        return is_play_money
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return target.is_secure and address.is_global and not address.is_multicast


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address inside an IPv6 one: mapped, 6to4, Teredo or translated."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _TRANSLATED:
        return IPv4Address(int(address) % _V4_BITS)
    return None


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
