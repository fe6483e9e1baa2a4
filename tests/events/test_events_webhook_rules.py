"""Which addresses, when again, when no more: decided without clock, chance or network."""

from ipaddress import ip_address

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.events import EventKind
from amana.events.webhooks.model import (
    ATTEMPTS_MAX,
    REPLAYED_EVENTS_MAX,
    RETRY_DELAYS_NS,
    WEBHOOKS_PER_MERCHANT_MAX,
    Answered,
    Delivered,
    DeliveryStatus,
    Gone,
    NoAnswer,
    Outcome,
    Parked,
    RetryAt,
    Target,
    Webhook,
    WebhookReason,
    WebhookRefused,
)
from amana.events.webhooks.rules import (
    CHANCE_MAX,
    concluded,
    decide_next,
    decide_replay,
    decide_webhook,
    is_allowed,
    message_id,
    read_kinds,
    read_url,
    wants,
)
from amana.kernel import HOUR_NS, MINUTE_NS, SECOND_NS, AmanaId, Instant, new_id

NOW = Instant(1_795_000_000 * SECOND_NS)
OUTCOMES = st.one_of(st.integers(200, 599).map(Answered), st.sampled_from(NoAnswer))


def webhook(*kinds: EventKind) -> Webhook:
    return Webhook(
        id=new_id(NOW, bytes(9)),
        merchant=AmanaId(7),
        url="https://shop.example/",
        secret=bytes(32),
        created_at=NOW,
        handled_number=0,
        kinds=frozenset(kinds),
    )


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_any_success_is_a_delivery(status: int) -> None:
    assert decide_next(1, Answered(status), now=NOW, chance=0) == Delivered()


@pytest.mark.parametrize("status", [301, 307, 308, 400, 404, 429, 500, 503])
def test_anything_else_is_tried_again_and_redirections_are_not_followed(status: int) -> None:
    decided = decide_next(1, Answered(status), now=NOW, chance=0)
    assert decided == RetryAt(Instant(NOW + 5 * SECOND_NS), f"status-{status}")


def test_the_waits_are_those_of_standard_webhooks() -> None:
    waits = []
    for attempts in range(1, ATTEMPTS_MAX):
        decided = decide_next(attempts, NoAnswer.TIMEOUT, now=NOW, chance=0)
        assert isinstance(decided, RetryAt)
        assert decided.error == "timeout"
        waits.append(decided.at - NOW)
    seconds, minutes, hours = SECOND_NS, MINUTE_NS, HOUR_NS
    assert waits == [
        *(5 * seconds, 5 * minutes, 30 * minutes),
        *(2 * hours, 5 * hours, 10 * hours, 10 * hours),
    ]


def test_the_eighth_failure_parks_the_event() -> None:
    assert decide_next(8, Answered(500), now=NOW, chance=0) == Parked("status-500")


@pytest.mark.parametrize("attempts", [1, 8])
def test_gone_ends_the_webhook_at_any_attempt(attempts: int) -> None:
    assert decide_next(attempts, Answered(410), now=NOW, chance=0) == Gone("status-410")


@given(
    attempts=st.integers(1, ATTEMPTS_MAX - 1),
    outcome=OUTCOMES,
    chance=st.integers(0, CHANCE_MAX - 1),
)
def test_chance_lengthens_a_wait_by_less_than_a_fifth(
    attempts: int, outcome: Outcome, chance: int
) -> None:
    decided = decide_next(attempts, outcome, now=NOW, chance=chance)
    if isinstance(decided, RetryAt):
        delay = RETRY_DELAYS_NS[attempts - 1]
        assert delay <= decided.at - NOW < delay * 6 // 5


@given(attempts=st.integers(1, 20), outcome=OUTCOMES, chance=st.integers(0, CHANCE_MAX - 1))
def test_a_delivery_waits_exactly_when_it_has_a_next_attempt(
    attempts: int, outcome: Outcome, chance: int
) -> None:
    decided = decide_next(attempts, outcome, now=NOW, chance=chance)
    delivery = concluded(webhook(), 3, attempts, decided)
    is_waiting = delivery.status is DeliveryStatus.WAITING
    assert is_waiting == (delivery.next_attempt_at is not None)
    assert (delivery.status is DeliveryStatus.DELIVERED) == (delivery.last_error is None)
    assert attempts < ATTEMPTS_MAX or not is_waiting


def test_no_kinds_are_all_kinds() -> None:
    assert wants(webhook(), EventKind.ORDER_PAID)
    assert wants(webhook(EventKind.ORDER_PAID), EventKind.ORDER_PAID)
    assert not wants(webhook(EventKind.ORDER_PAID), EventKind.ORDER_REFUNDED)


def test_kinds_are_read_or_refused() -> None:
    assert read_kinds([]) == frozenset()
    assert read_kinds(["order.paid", "order.paid"]) == frozenset({EventKind.ORDER_PAID})
    assert read_kinds(["order.paid", "order"]) == WebhookRefused(WebhookReason.KIND_UNKNOWN)


def test_a_message_id_names_the_webhook_and_the_event_without_a_full_stop() -> None:
    assert message_id(webhook(), 12).startswith("whk_")
    assert message_id(webhook(), 12).endswith("_12")
    assert "." not in message_id(webhook(), 12)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("https://shop.example", ("https", "shop.example", 443, "shop.example", "/")),
        ("https://Shop.Example:443/a", ("https", "shop.example", 443, "shop.example", "/a")),
        ("https://shop.example?x=1", ("https", "shop.example", 443, "shop.example", "/?x=1")),
        ("http://[::1]:90/", ("http", "::1", 90, "[::1]:90", "/")),
        (
            "http://localhost:8081/hook?a=b%20c",
            ("http", "localhost", 8081, "localhost:8081", "/hook?a=b%20c"),
        ),
    ],
)
def test_an_address_is_taken_apart(text: str, parts: tuple[str, str, int, str, str]) -> None:
    scheme, host, port, authority, path = parts
    assert read_url(text) == Target(
        is_secure=scheme == "https", host=host, port=port, authority=authority, path=path
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop.example",
        "ftp://shop.example/",
        "https://",
        "https:///hook",
        "https://user:word@shop.example/",
        "https://shop.example@inside.example/",
        "https://shop.example/#part",
        "https://shop.example:0/",
        "https://shop.example:65536/",
        "https://shop.example:/",
        "https://shop.example\\@inside.example/",
        "https://shop.example/a b",
        "https://shop.example/\r\nHost: inside",
        "https://مخبز.example/",
        "https://shop.example/مخبز",
        "https://-shop.example/",
        "HTTPS://shop.example/",
        "https://shop.example/" + "a" * 2_000,
    ],
)
def test_what_is_not_exactly_one_address_is_refused(text: str) -> None:
    assert read_url(text) is None


@given(st.from_regex(r"https?://[\[\]a-zA-Z0-9.:@/\\?#-]{1,40}", fullmatch=True))
def test_another_reader_finds_the_same_host_and_port(text: str) -> None:
    target = read_url(text)
    if target is None:
        return
    try:
        other = httpx.URL(text)
    except httpx.InvalidURL:
        return
    assert (other.scheme == "https") == target.is_secure
    assert other.host == target.host
    assert (other.port or (443 if target.is_secure else 80)) == target.port


SECURE = Target(is_secure=True, host="a.example", port=443, authority="a.example", path="/")
PLAIN = Target(is_secure=False, host="a.example", port=80, authority="a.example", path="/")
PUBLIC = ["1.1.1.1", "203.0.114.9", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1"]
INSIDE = [
    "0.0.0.0",  # noqa: S104 - nothing is bound to it: it must not be reached
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fd00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
]
LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "2002:7f00:1::"]


@pytest.mark.parametrize("is_play_money", [True, False])
@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached_by_tls_alone(address: str, *, is_play_money: bool) -> None:
    assert is_allowed(ip_address(address), SECURE, is_play_money=is_play_money)
    assert not is_allowed(ip_address(address), PLAIN, is_play_money=is_play_money)


@pytest.mark.parametrize("is_play_money", [True, False])
@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_a_network_is_reached(address: str, *, is_play_money: bool) -> None:
    for target in (SECURE, PLAIN):
        assert not is_allowed(ip_address(address), target, is_play_money=is_play_money)


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_is_reached_with_play_money_only(address: str) -> None:
    for target in (SECURE, PLAIN):
        assert is_allowed(ip_address(address), target, is_play_money=True)
        assert not is_allowed(ip_address(address), target, is_play_money=False)


@pytest.mark.parametrize(
    ("url", "with_real_money", "with_play_money"),
    [
        ("https://shop.example/hook", None, None),
        ("https://1.1.1.1/", None, None),
        ("nonsense", WebhookReason.URL_NOT_UNDERSTOOD, WebhookReason.URL_NOT_UNDERSTOOD),
        ("http://shop.example/", WebhookReason.URL_NOT_SECURE, WebhookReason.URL_NOT_SECURE),
        ("http://10.0.0.1/", WebhookReason.URL_NOT_SECURE, WebhookReason.URL_NOT_SECURE),
        ("https://10.0.0.1/", WebhookReason.URL_NOT_PUBLIC, WebhookReason.URL_NOT_PUBLIC),
        ("https://[fe80::1]/", WebhookReason.URL_NOT_PUBLIC, WebhookReason.URL_NOT_PUBLIC),
        ("http://localhost:8081/", WebhookReason.URL_NOT_SECURE, None),
        ("http://shop.localhost/", WebhookReason.URL_NOT_SECURE, None),
        ("http://127.0.0.1/", WebhookReason.URL_NOT_SECURE, None),
        ("https://localhost/", WebhookReason.URL_NOT_PUBLIC, None),
        ("https://[::1]/", WebhookReason.URL_NOT_PUBLIC, None),
    ],
)
def test_a_webhook_that_could_never_be_reached_is_refused_when_it_is_made(
    url: str, with_real_money: WebhookReason | None, with_play_money: WebhookReason | None
) -> None:
    for is_play_money, reason in ((False, with_real_money), (True, with_play_money)):
        decided = decide_webhook(read_url(url), held=0, is_play_money=is_play_money)
        assert decided == (None if reason is None else WebhookRefused(reason))


def test_a_merchant_has_a_bounded_number_of_webhooks() -> None:
    full = WEBHOOKS_PER_MERCHANT_MAX
    assert decide_webhook(SECURE, held=full - 1, is_play_money=False) is None
    refused = decide_webhook(SECURE, held=full, is_play_money=False)
    assert refused == WebhookRefused(WebhookReason.TOO_MANY)


def test_a_replay_reaches_back_a_bounded_number_of_events() -> None:
    assert decide_replay(after=5, head=5 + REPLAYED_EVENTS_MAX) is None
    refused = decide_replay(after=4, head=5 + REPLAYED_EVENTS_MAX)
    assert refused == WebhookRefused(WebhookReason.TOO_FAR_BACK)
