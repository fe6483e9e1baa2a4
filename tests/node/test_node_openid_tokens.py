"""Clear tokens: nothing but what the operator signed for its mint, and only while it is fresh."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from amana.kernel import SECOND_NS, AmanaId, Instant
from amana.people.openid_tokens import ACCESS_LIFE_S, TOKEN_CHARACTERS_MAX, TokenKeys
from amana.people.pending import Pending

NOW: Final = Instant(1_795_000_000 * SECOND_NS)
ISSUER: Final = "http://localhost:8400"
KEYS: Final = TokenKeys(bytes(32), issuer=ISSUER)
PARTY: Final = AmanaId(2**127 + 5)
CLIENT: Final = "a client"
HEADER: Final = {"alg": "ES256", "typ": "at+jwt"}


def later(seconds: int) -> Instant:
    return Instant(NOW + seconds * SECOND_NS)


def claims() -> dict[str, Any]:
    read = jwt.decode(KEYS.access_token(PARTY, CLIENT, now=NOW), KEYS._public)
    return dict(read.claims)


def signed(changed: dict[str, Any], header: dict[str, Any] | None = None) -> str:
    """A token that the operator's own key signed, with other claims."""
    kept = {name: value for name, value in {**claims(), **changed}.items() if value is not None}
    return jwt.encode(header or HEADER, kept, KEYS._key)


def text(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def test_a_token_is_good_for_its_customer_until_its_time_is_over() -> None:
    token = KEYS.access_token(PARTY, CLIENT, now=NOW)
    assert KEYS.party_of(token, NOW) == PARTY
    assert KEYS.party_of(token, later(ACCESS_LIFE_S - 1)) == PARTY
    assert KEYS.party_of(token, later(ACCESS_LIFE_S)) is None
    assert len(token) < TOKEN_CHARACTERS_MAX // 2


def test_the_same_secret_makes_the_same_keys_and_another_makes_others() -> None:
    token = KEYS.access_token(PARTY, CLIENT, now=NOW)
    assert TokenKeys(bytes(32), issuer=ISSUER).party_of(token, NOW) == PARTY
    assert TokenKeys(b"\1" * 32, issuer=ISSUER).party_of(token, NOW) is None
    assert TokenKeys(bytes(32), issuer="http://elsewhere").party_of(token, NOW) is None


def test_what_tells_a_client_who_signed_in_opens_no_mint() -> None:
    assert KEYS.party_of(KEYS.id_token(PARTY, CLIENT, nonce="n", now=NOW), NOW) is None
    assert KEYS.party_of(signed({"aud": CLIENT}), NOW) is None
    assert KEYS.party_of(signed({}, {"alg": "ES256", "typ": "JWT"}), NOW) is None
    assert KEYS.party_of(signed({}), NOW) == PARTY, "what the others differ from is good"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "http://elsewhere"},
        {"iss": None},
        {"aud": None},
        {"aud": ["amana-mint"]},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": 9_999_999_999.5},
        {"sub": None},
        {"sub": 7},
        {"sub": "somebody"},
        {"sub": "é"},
        {"sub": ""},
        {"client_id": None},
        {"client_id": "another client"},
    ],
)
def test_a_claim_that_is_not_as_we_write_it_makes_a_token_worthless(
    changed: dict[str, Any],
) -> None:
    assert KEYS.party_of(signed(changed), NOW) is None


def keyed_with(public: bytes, body: dict[str, Any]) -> str:
    """A token under a keyed hash whose key is the public key, which everybody has."""
    start = f"{text({**HEADER, 'alg': 'HS256'})}.{text(body)}"
    return f"{start}.{text(hmac.digest(public, start.encode(), 'sha256'))}"


def foreign() -> list[Callable[[], str]]:
    public = KEYS._public.as_pem(private=False)
    body = claims()
    return [
        lambda: jwt.encode(HEADER, body, ECKey.generate_key("P-256")),
        lambda: jwt.encode({**HEADER, "alg": "RS256"}, body, RSAKey.generate_key(2_048)),
        lambda: keyed_with(public, body),
        lambda: f"{text({**HEADER, 'alg': 'none'})}.{text(body)}.",
        lambda: f"{text({**HEADER, 'b64': False, 'crit': ['b64']})}.{text(body)}.{text(bytes(64))}",
        lambda: f"{text(HEADER)}.{text(body)}.{text(bytes(64))}",
        lambda: f"{text(b'[' * 1_400)}..",
        lambda: f"{text([])}.{text([])}.{text(b'')}",
        lambda: "..",
        lambda: ".".join(["a"] * 5),
        lambda: "",
    ]


@pytest.mark.parametrize("number", range(len(foreign())))
def test_what_others_signed_or_nobody_is_worthless(number: int) -> None:
    token = foreign()[number]()
    assert len(token) <= TOKEN_CHARACTERS_MAX
    assert KEYS.party_of(token, NOW) is None


def test_a_changed_or_endless_token_is_worthless() -> None:
    token = KEYS.access_token(PARTY, CLIENT, now=NOW)
    head, body, signature = token.split(".")
    other = text({**claims(), "exp": 9_999_999_999})
    assert KEYS.party_of(f"{head}.{other}.{signature}", NOW) is None
    assert KEYS.party_of(f"{head}.{body}.{signature[:-4]}", NOW) is None
    assert KEYS.party_of(token + "A" * TOKEN_CHARACTERS_MAX, NOW) is None


@given(
    st.text(max_size=200)
    | st.lists(st.binary(max_size=60), max_size=4).map(
        lambda parts: ".".join(text(part) for part in parts)
    )
)
def test_no_text_whatever_breaks_the_reading_of_clear_tokens(token: str) -> None:
    assert KEYS.party_of(token, NOW) is None


MEMBERS: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
NAMES: Final = st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk", "jku", "x5c", "cty"])


@given(st.dictionaries(NAMES, MEMBERS, max_size=3) | MEMBERS)
@example({"crit": 5})
def test_no_header_whatever_breaks_the_reading_of_clear_tokens(header: Any) -> None:
    if isinstance(header, dict):
        header = {"alg": "ES256", **header}
    _, body, signature = KEYS.access_token(PARTY, CLIENT, now=NOW).split(".")
    head = urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    assert KEYS.party_of(f"{head}.{body}.{signature}", NOW) is None


def test_what_waits_is_bounded_and_gone_when_its_time_is_over() -> None:
    pending: Pending[str] = Pending(10, held_max=2)
    for number, name in enumerate("abc"):
        pending.put(name.encode(), name, Instant(number))
    assert [*pending.held(Instant(3))] == ["b", "c"], "the one that came first leaves first"
    assert pending.get(b"b", Instant(10)) == "b"
    assert pending.get(b"b", Instant(11)) is None
    assert pending.take(b"c", Instant(11)) == "c"
    assert pending.take(b"c", Instant(11)) is None
    pending.put(b"d", "d", Instant(50))
    assert list(pending._held) == [b"d"], "what is over does not stay in memory"
