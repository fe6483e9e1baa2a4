"""Signed messages: ours verified by others, others' verified by us, and nothing else believed."""

import base64
from datetime import UTC, datetime

import pytest
import standardwebhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from amana.kernel import SECOND_NS, Instant
from amana.wire import Malformed
from amana.wire.standard_webhooks import (
    NotVerified,
    RefusalReason,
    SigningKey,
    VerifiedMessage,
    VerifyingKey,
    WebhookSecret,
    read_secret,
    read_signing_key,
    read_verifying_key,
    sign,
    verify,
)

NOW = Instant(1_674_087_231 * SECOND_NS + 999)
SECRET = WebhookSecret(bytes(range(24)))
PAIR = SigningKey(bytes(range(32)))
PUBLIC = PAIR.verifying_key()
BODY = '{"type":"order.paid","name":"مخبز"}'.encode()
ID = "evt_1"


def signed(*keys: WebhookSecret | SigningKey, body: bytes = BODY) -> dict[str, str]:
    return sign(ID, body, signed_at=NOW, keys=keys or (SECRET, PAIR))


def reason(headers: dict[str, str], *, now: Instant = NOW, body: bytes = BODY) -> RefusalReason:
    result = verify(headers, body, now=now, keys=(SECRET, PUBLIC))
    assert isinstance(result, NotVerified)
    return result.reason


@pytest.mark.parametrize("key", [SECRET, PUBLIC])
def test_either_scheme_alone_verifies_a_message_signed_with_both(
    key: WebhookSecret | VerifyingKey,
) -> None:
    result = verify(signed(), BODY, now=NOW, keys=[key])
    assert result == VerifiedMessage(ID, Instant(1_674_087_231 * SECOND_NS), BODY)


def test_the_headers_are_these() -> None:
    headers = signed()
    assert headers["webhook-id"] == ID
    assert headers["webhook-timestamp"] == "1674087231"
    first, second = headers["webhook-signature"].split(" ")
    assert first.startswith("v1,")
    assert second.startswith("v1a,")


def test_the_specifications_library_verifies_our_message() -> None:
    now = datetime.now(tz=UTC)
    headers = sign(
        ID, BODY, signed_at=Instant(int(now.timestamp()) * SECOND_NS), keys=[PAIR, SECRET]
    )
    assert standardwebhooks.Webhook(SECRET.text()).verify(BODY, headers) == {
        "type": "order.paid",
        "name": "مخبز",
    }


def test_we_verify_the_specifications_library() -> None:
    library = standardwebhooks.Webhook(SECRET.text())
    at = datetime.fromtimestamp(NOW // SECOND_NS, tz=UTC)
    headers = {
        "Webhook-Id": ID,
        "Webhook-Timestamp": str(NOW // SECOND_NS),
        "Webhook-Signature": library.sign(ID, at, BODY.decode()),
    }
    assert isinstance(verify(headers, BODY, now=NOW, keys=[SECRET]), VerifiedMessage)


def test_an_ed25519_signature_made_elsewhere_is_verified() -> None:
    private = Ed25519PrivateKey.generate()
    content = b"evt_1.1674087231." + BODY
    public = read_verifying_key(
        "whpk_" + base64.b64encode(private.public_key().public_bytes_raw()).decode()
    )
    assert isinstance(public, VerifyingKey)
    headers = signed(SECRET) | {
        "webhook-signature": "v1a," + base64.b64encode(private.sign(content)).decode()
    }
    assert isinstance(verify(headers, BODY, now=NOW, keys=[public]), VerifiedMessage)


def test_our_ed25519_signature_is_verified_elsewhere() -> None:
    signature = base64.b64decode(signed(PAIR)["webhook-signature"].removeprefix("v1a,"))
    elsewhere = Ed25519PrivateKey.from_private_bytes(PAIR.seed).public_key()
    elsewhere.verify(signature, b"evt_1.1674087231." + BODY)


def test_the_old_and_the_new_key_both_verify_while_a_key_is_replaced() -> None:
    new = WebhookSecret(b"n" * 32)
    headers = signed(new, SECRET)
    for key in (new, SECRET):
        assert isinstance(verify(headers, BODY, now=NOW, keys=[key]), VerifiedMessage)


def test_a_strangers_key_does_not_verify() -> None:
    stranger = SigningKey(b"s" * 32)
    assert reason(signed(WebhookSecret(b"s" * 32), stranger)) is RefusalReason.NO_MATCHING_SIGNATURE


def test_a_signature_of_one_scheme_does_not_pass_for_the_other() -> None:
    headers = signed(SECRET)
    swapped = headers["webhook-signature"].replace("v1,", "v1a,")
    assert reason(headers | {"webhook-signature": swapped}) is RefusalReason.NO_MATCHING_SIGNATURE
    headers = signed(PAIR)
    swapped = headers["webhook-signature"].replace("v1a,", "v1,")
    assert reason(headers | {"webhook-signature": swapped}) is RefusalReason.NO_MATCHING_SIGNATURE
    swapped = headers["webhook-signature"].replace("v1a,", "v2,")
    assert reason(headers | {"webhook-signature": swapped}) is RefusalReason.NO_MATCHING_SIGNATURE


@pytest.mark.parametrize(
    "signature",
    ["", "v1", "v1,", "v1,!", "v2,AAAA", "v1a,AAAA", ",", "v1,\u0661", "v1,AAAA v1a,é"],
)
def test_signatures_that_are_none_do_not_verify(signature: str) -> None:
    headers = signed() | {"webhook-signature": signature}
    assert reason(headers) is RefusalReason.NO_MATCHING_SIGNATURE


def test_unknown_schemes_beside_a_good_signature_do_no_harm() -> None:
    headers = signed(SECRET)
    headers["webhook-signature"] = "v9,AAAA " + headers["webhook-signature"]
    assert isinstance(verify(headers, BODY, now=NOW, keys=[SECRET]), VerifiedMessage)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_told(missing: str) -> None:
    headers = signed()
    del headers[missing]
    assert reason(headers) is RefusalReason.MISSING_HEADER


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook-id": "evt.1"},
        {"webhook-id": ""},
        {"webhook-id": "e" * 256},
        {"webhook-id": "evt 1"},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "1674087231.5"},
        {"webhook-timestamp": "١٦٧٤"},
        {"webhook-timestamp": "9" * 12},
        {"webhook-signature": " ".join(["v1,AAAA"] * 17)},
    ],
)
def test_a_malformed_header_is_told(wrong: dict[str, str]) -> None:
    assert reason(signed() | wrong) is RefusalReason.MALFORMED_HEADER


def test_a_message_is_believed_up_to_three_hundred_seconds_away() -> None:
    second = 1_674_087_231
    for now, expected in (
        (second + 300, None),
        (second + 301, RefusalReason.TOO_OLD),
        (second - 300, None),
        (second - 301, RefusalReason.TOO_NEW),
    ):
        result = verify(signed(), BODY, now=Instant(now * SECOND_NS), keys=[SECRET])
        assert (result.reason if isinstance(result, NotVerified) else None) is expected


@given(st.data())
def test_any_change_to_what_was_signed_is_noticed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(BODY) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = BODY[:at] + bytes([BODY[at] ^ bit]) + BODY[at + 1 :]
    assert reason(signed(), body=changed) is RefusalReason.NO_MATCHING_SIGNATURE
    assert reason(signed() | {"webhook-id": "evt_2"}) is RefusalReason.NO_MATCHING_SIGNATURE
    moved = signed() | {"webhook-timestamp": "1674087232"}
    assert reason(moved) is RefusalReason.NO_MATCHING_SIGNATURE


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp"]), st.text()), st.text())
def test_no_header_makes_the_verifier_raise(wrong: dict[str, str], signature: str) -> None:
    headers = {"webhook-id": ID, "webhook-timestamp": "1674087231"} | wrong
    headers["webhook-signature"] = signature
    assert isinstance(verify(headers, BODY, now=NOW, keys=(SECRET, PUBLIC)), NotVerified)


@given(st.binary(min_size=24, max_size=64), st.binary(min_size=32, max_size=32))
def test_keys_read_as_they_were_written(secret: bytes, seed: bytes) -> None:
    assert read_secret(WebhookSecret(secret).text()) == WebhookSecret(secret)
    pair = SigningKey(seed)
    assert read_signing_key(pair.text()) == pair
    assert read_signing_key("whsk_" + base64.b64encode(seed).decode()) == pair
    assert read_verifying_key(pair.verifying_key().text()) == pair.verifying_key()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_!",
        "whsec_\u0661",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        base64.b64encode(b"x" * 32).decode(),
        "whpk_" + base64.b64encode(b"x" * 31).decode(),
        "whsk_" + base64.b64encode(b"x" * 33).decode(),
        "whsk_" + base64.b64encode(b"x" * 64).decode(),
    ],
)
def test_keys_that_are_none_are_refused(text: str) -> None:
    assert isinstance(read_secret(text), Malformed)
    assert isinstance(read_verifying_key(text), Malformed)
    assert isinstance(read_signing_key(text), Malformed)


def test_secrets_do_not_show_in_their_representation() -> None:
    assert repr(SECRET) == "WebhookSecret()"
    assert repr(PAIR) == "SigningKey()"
