"""Spending conditions: which witness opens which lock, and what a refused payer reads."""

import hashlib
import json
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.purse.locks import (
    HASH,
    NOW,
    OUTPUT,
    POINT,
    PREIMAGE,
    Tags,
    hash_locked,
    key,
    key_locked,
    name,
    proof,
    said,
    secret,
    sign,
)

from amana.purse import limits
from amana.purse.curve import verify_schnorr
from amana.purse.model import BlindedMessage, Code, Proof, Refusal
from amana.purse.rules.conditions import (
    framed_quote_message,
    meets_conditions,
    operation_message,
    plain_quote_message,
    quote_signature_holds,
    read_lock,
    shown_witness,
    shown_witnesses,
)
from amana.wire.cashu import HTLC, P2PK

PLAIN: Final = Proof("01" * 33, 1, "aa" * 32, POINT)
PAST: Final = ("locktime", str(NOW - 1))
FUTURE: Final = ("locktime", str(NOW + 1))
ALL: Final = ("sigflag", "SIG_ALL")
UNSIGNED: Final = "no witness: p2pk signatures not provided."
NOT_MET: Final = "signature threshold not met. 0 < 1."
MALFORMED: Final = "malformed NUT-10 secret"


def keys(*numbers: int) -> list[str]:
    return [name(key(number)) for number in numbers]


def test_a_plain_secret_needs_no_witness_and_ignores_one() -> None:
    assert said(PLAIN) is None
    assert said(Proof("01" * 33, 1, "aa" * 32, POINT, '{"signatures":["00"]}')) is None
    assert said() is None


def test_a_refusal_has_the_code_of_a_false_proof() -> None:
    answer = meets_conditions([key_locked(())], [], quote=None, now_s=NOW, verify=verify_schnorr)
    assert answer == Refusal(Code.QUOTE_SIGNATURE_INVALID, UNSIGNED)


@pytest.mark.parametrize(
    ("tags", "signers", "answer"),
    [
        ((), (0,), None),
        ((), (), UNSIGNED),
        ((), (1,), NOT_MET),
        ([("sigflag", "SIG_INPUTS")], (0,), None),
        ([("memo", "unknown tags mean nothing"), ("memo",)], (0,), None),
        ([("pubkeys", *keys(1, 2))], (2,), None),
        ([("pubkeys", *keys(1, 2))], (3,), NOT_MET),
        ([("pubkeys", *keys(1, 2)), ("n_sigs", "2")], (0, 2), None),
        (
            [("pubkeys", *keys(1, 2)), ("n_sigs", "2")],
            (0, 3),
            "signature threshold not met. 1 < 2.",
        ),
        (
            [("pubkeys", *keys(1, 2)), ("n_sigs", "2")],
            (0,),
            "not enough pubkeys (3) or signatures (1) present for n_sigs (2).",
        ),
        ([("pubkeys", *keys(1)), ("n_sigs", "1")], (3, 3, 1), None),
        ([FUTURE, ("refund", *keys(5))], (0,), None),
        ([FUTURE, ("refund", *keys(5))], (5,), NOT_MET),
        ([PAST, ("refund", *keys(5))], (5,), None),
        ([PAST, ("refund", *keys(5))], (0,), None),
        ([PAST, ("refund", *keys(5))], (6,), NOT_MET),
        ([PAST, ("refund", *keys(5))], (), UNSIGNED),
        ([PAST, ("refund", *keys(5, 6)), ("n_sigs_refund", "2")], (5, 6), None),
        (
            [PAST, ("refund", *keys(5, 6)), ("n_sigs_refund", "2")],
            (5, 7),
            "signature threshold not met. 1 < 2.",
        ),
        ([PAST, ("pubkeys", *keys(1)), ("n_sigs", "2"), ("refund", *keys(0))], (0,), None),
        ([PAST], (), None),
        ([("locktime", str(NOW))], (), None),
        ([FUTURE], (), UNSIGNED),
        ([("locktime", "soon")], (), UNSIGNED),
        ([("locktime", "-1")], (), UNSIGNED),
        ([("locktime", "1e3")], (), UNSIGNED),
        ([("locktime", "١")], (), UNSIGNED),
    ],
)
def test_a_lock_on_keys_opens_as_its_tags_say(
    tags: Tags, signers: tuple[int, ...], answer: str | None
) -> None:
    assert said(key_locked(tags, *(key(number) for number in signers))) == answer


@pytest.mark.parametrize(
    ("tags", "signers", "preimage", "answer"),
    [
        ((), (), PREIMAGE, None),
        ((), (), PREIMAGE.upper(), None),
        ((), (), None, "no HTLC preimage provided"),
        ((), (), "", "no HTLC preimage provided"),
        ((), (), "11" * 32, "HTLC preimage does not match."),
        ((), (), "11" * 31, "HTLC preimage must be 64 characters hex."),
        ((), (), "11" * 33, "HTLC preimage must be 64 characters hex."),
        ((), (), "g" * 64, "invalid preimage for HTLC: not a hex string."),
        ((), (), " 1" * 32, "invalid preimage for HTLC: not a hex string."),
        ([("pubkeys", *keys(1))], (1,), PREIMAGE, None),
        ([("pubkeys", *keys(1))], (), PREIMAGE, "no signatures in proof."),
        ([("pubkeys", *keys(1))], (2,), PREIMAGE, NOT_MET),
        ([("pubkeys", *keys(1))], (1,), None, "no HTLC preimage provided"),
        ([("pubkeys", *keys(1)), FUTURE, ("refund", *keys(2))], (2,), PREIMAGE, NOT_MET),
        ([("pubkeys", *keys(1)), PAST, ("refund", *keys(2))], (2,), None, None),
        ([("pubkeys", *keys(1)), PAST, ("refund", *keys(2))], (1,), PREIMAGE, None),
        ([("pubkeys", *keys(1)), PAST, ("refund", *keys(2))], (1,), None, NOT_MET),
        ([("pubkeys", *keys(1)), PAST], (), None, None),
        ([("pubkeys", *keys(1, 2)), ("n_sigs", "2")], (1, 2), PREIMAGE, None),
    ],
)
def test_a_lock_on_a_hash_opens_as_its_tags_say(
    tags: Tags, signers: tuple[int, ...], preimage: str | None, answer: str | None
) -> None:
    signed = hash_locked(tags, *(key(number) for number in signers), preimage=preimage)
    assert said(signed) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (secret("P2PX", "00"), "unsupported NUT-10 secret kind: P2PX"),
        (secret("p2pk", name(key(0))), "unsupported NUT-10 secret kind: p2pk"),
        ('["P2PK"]', f"{MALFORMED}: expected two elements."),
        (secret(P2PK, "02" + "ab" * 31), f"{MALFORMED}: invalid compressed public key."),
        (secret(P2PK, "04" + "ab" * 64), f"{MALFORMED}: invalid compressed public key."),
        (secret(P2PK, "ab" * 32), f"{MALFORMED}: invalid compressed public key."),
        (secret(HTLC, "ab" * 31), f"{MALFORMED}: invalid HTLC hash."),
        (secret(HTLC, HASH.upper()), f"{MALFORMED}: invalid HTLC hash."),
        (
            secret(P2PK, name(key(0)), [("sigflag", "SIG_NONE")]),
            f"{MALFORMED}: invalid sigflag tag.",
        ),
        (secret(P2PK, name(key(0)), [("pubkeys",)]), f"{MALFORMED}: invalid pubkeys tag."),
        (secret(P2PK, name(key(0)), [("n_sigs", "1", "2")]), f"{MALFORMED}: invalid n_sigs tag."),
        (
            secret(P2PK, name(key(0)), [("n_sigs", "0")]),
            f"{MALFORMED}: n_sigs must be a positive integer.",
        ),
        (
            secret(P2PK, name(key(0)), [("n_sigs", "-1")]),
            f"{MALFORMED}: n_sigs must be a positive integer.",
        ),
        (
            secret(P2PK, name(key(0)), [("n_sigs", "2")]),
            f"{MALFORMED}: n_sigs exceeds available pubkeys.",
        ),
        (
            secret(HTLC, HASH, [("n_sigs", "1")]),
            f"{MALFORMED}: n_sigs exceeds available pubkeys.",
        ),
        (
            secret(P2PK, name(key(0)), [("n_sigs_refund", "1")]),
            f"{MALFORMED}: n_sigs_refund exceeds available pubkeys.",
        ),
        (
            secret(P2PK, name(key(0)), [FUTURE, PAST]),
            f"{MALFORMED}: duplicate locktime tag.",
        ),
        (
            secret(P2PK, name(key(0)), [("pubkeys", *keys(1)), ("pubkeys", *keys(2))]),
            f"{MALFORMED}: duplicate pubkeys tag.",
        ),
    ],
)
def test_a_malformed_lock_is_nobodys_money(text: str, answer: str) -> None:
    """Even with every signature, and even where the text could pass for a plain secret."""
    assert said(proof(text, *sign(text, key(0), key(1)), preimage=PREIMAGE)) == answer


@pytest.mark.parametrize(
    ("own", "others", "answer"),
    [
        (0, [name(key(0))], "pubkeys must be unique."),
        (0, [name(key(0)).upper()], "pubkeys must be unique."),
        (0, ["03" + name(key(0))[2:]], "pubkeys must have unique x-coordinates."),
        (0, ["03" + name(key(0))[2:].upper()], "pubkeys must have unique x-coordinates."),
    ],
)
def test_one_signer_in_two_spellings_does_not_count_twice(
    own: int, others: list[str], answer: str
) -> None:
    """Upper and lower case, or 02 and 03, of one key once made a 2-of-2 lock open for one."""
    signer = key(own)
    if name(signer).startswith("03"):
        others = ["02" + other[2:] if other.startswith("03") else other for other in others]
    for tag, counter in (("pubkeys", "n_sigs"), ("refund", "n_sigs_refund")):
        given = [*others, name(signer)] if tag == "refund" else others
        text = secret(P2PK, name(signer), [(tag, *given), (counter, "2"), PAST])
        first = sign(text, signer)[0]
        assert said(proof(text, first, first.upper())) == answer


def test_one_signature_in_two_spellings_does_not_count_twice() -> None:
    text = secret(P2PK, name(key(0)), [("pubkeys", *keys(1)), ("n_sigs", "2")])
    once = sign(text, key(0))[0]
    assert said(proof(text, once, once.upper())) == "signature threshold not met. 1 < 2."


def test_a_key_may_stand_in_both_paths() -> None:
    tags = [("refund", *keys(0)), PAST]
    assert said(key_locked(tags, key(0))) is None


def test_a_key_off_the_curve_never_signs_and_does_not_stop_the_others() -> None:
    tags = [("pubkeys", "02" + "ff" * 32)]
    assert said(key_locked(tags, key(0))) is None
    assert said(key_locked([*tags, ("n_sigs", "2")], key(0), key(1))) == (
        "signature threshold not met. 1 < 2."
    )


def test_more_keys_than_places_are_refused() -> None:
    crowd = [("pubkeys", *map(str, range(limits.KEYS_MAX)))]
    for text in (
        secret(P2PK, name(key(0)), crowd),
        secret(HTLC, HASH, [("refund", *"abcdefghijkl")]),
    ):
        assert said(proof(text)) == f"{MALFORMED}: too many pubkeys. max: {limits.KEYS_MAX}"


@pytest.mark.parametrize("signature", ["", "00", "g" * 128, "00" * 64, "  " * 64, "00" * 65])
def test_a_signature_that_is_none_counts_for_nothing(signature: str) -> None:
    assert said(proof(secret(P2PK, name(key(0))), signature)) == NOT_MET


def test_a_witness_of_any_size_is_not_taken() -> None:
    """A preimage without a limit once filled a mint's disk (CVE-2025-65548)."""
    for text in (secret(HTLC, HASH), "aa" * 32):
        spent = proof(text, preimage="00" * 5_000_000)
        assert said(spent) == f"witness too long. max: {limits.WITNESS_BYTES_MAX}"
        assert shown_witness(spent) is None


def test_a_witness_with_a_crowd_of_signatures_is_not_checked() -> None:
    spent = proof(secret(P2PK, name(key(0))), *["00"] * (limits.SIGNATURES_MAX + 1))
    assert said(spent) == f"too many signatures. max: {limits.SIGNATURES_MAX}"


def test_an_operation_does_not_make_the_mint_check_signatures_without_end() -> None:
    asked = 0

    def counting(_key: bytes, _message: bytes, _signature: bytes) -> bool:
        nonlocal asked
        asked += 1
        return False

    tags = [("pubkeys", *keys(*range(1, 10)))]
    spent = [key_locked(tags, *[key(99)] * limits.SIGNATURES_MAX)] * 13
    assert 13 * 10 * limits.SIGNATURES_MAX > limits.CHECKS_MAX
    answer = meets_conditions(spent, [], quote=None, now_s=NOW, verify=counting)
    assert answer == Refusal(
        Code.PROOF_INVALID, f"too many signatures to check. max: {limits.CHECKS_MAX}"
    )
    assert asked == 0
    assert meets_conditions(spent[:12], [], quote=None, now_s=NOW, verify=counting) is not None
    assert 0 < asked <= limits.CHECKS_MAX


def test_keys_of_a_refund_count_as_work_only_once_they_may_sign() -> None:
    tags = [FUTURE, ("refund", *keys(*range(1, 11)))]
    spent = [key_locked(tags, *[key(0)] * 16)] * 100
    assert said(*spent) is None
    assert said(*spent, now_s=NOW + 2) == f"too many signatures to check. max: {limits.CHECKS_MAX}"


@pytest.mark.parametrize(
    "witness", ["[]", "{", "1", '{"signatures":1}', '{"preimage":1}', "\ud800"]
)
def test_a_witness_that_is_none_is_refused(witness: str) -> None:
    spent = Proof("01" * 33, 1, secret(P2PK, name(key(0))), POINT, witness)
    assert (said(spent) or "").startswith(("malformed witness", "witness too long"))


def test_each_input_needs_its_own_signature() -> None:
    signed, other = key_locked((), key(0)), key_locked(())
    assert said(signed, PLAIN) is None
    assert said(signed, other) == UNSIGNED
    moved = Proof(other.keyset_id, 1, other.secret, POINT, signed.witness)
    assert said(signed, moved) == NOT_MET


def all_locked(
    count: int, *signers: int, quote: str | None = None, kind: str = P2PK, tags: Tags = ()
) -> list[Proof]:
    data = name(key(0)) if kind == P2PK else HASH
    plain = [proof(secret(kind, data, [ALL, *tags])) for _ in range(count)]
    message = operation_message(plain, [OUTPUT], quote)
    preimage = PREIMAGE if kind == HTLC else None
    first = proof(plain[0].secret, *sign(message, *map(key, signers)), preimage=preimage)
    return [first, *plain[1:]]


def test_one_signature_speaks_for_all_inputs_and_outputs() -> None:
    assert said(*all_locked(3, 0)) is None
    assert said(*all_locked(1, 0)) is None
    assert said(*all_locked(3, 0, quote="a quote"), quote="a quote") is None


def test_a_signature_for_all_covers_outputs_amounts_order_and_quote() -> None:
    signed = all_locked(2, 0)
    other = BlindedMessage("01" * 33, 2, bytes.fromhex(name(key(7))))
    more = BlindedMessage("01" * 33, 4, POINT)
    for outputs in ([other], [more], [OUTPUT, other], []):
        assert said(*signed, outputs=outputs) == NOT_MET
    assert said(*signed, quote="a quote") == NOT_MET
    assert said(*all_locked(2, 0, quote="a quote"), quote="another") == NOT_MET
    assert said(*signed[::-1]) == UNSIGNED


def test_under_sig_all_only_the_first_witness_counts() -> None:
    first, second = all_locked(2)
    message = operation_message([first, second], [OUTPUT], None)
    late = proof(second.secret, *sign(message, key(0)))
    assert said(first, late) == UNSIGNED


def test_under_sig_all_a_signature_over_the_input_alone_is_not_enough() -> None:
    assert said(key_locked([ALL], key(0))) == NOT_MET


def test_sig_all_does_not_mix_with_anything_else() -> None:
    signed = all_locked(1, 0)[0]
    different = "not all secrets are equal."
    assert said(signed, PLAIN) == "SIG_ALL transaction contains an ordinary secret."
    assert said(PLAIN, signed) == "SIG_ALL transaction contains an ordinary secret."
    assert said(signed, key_locked((), key(0))) == different
    assert said(key_locked((), key(0)), signed) == different
    assert said(signed, key_locked([ALL, FUTURE], key(0))) == different
    assert said(signed, key_locked([ALL], key(1), owner=key(1))) == different
    assert said(signed, proof(secret(HTLC, HASH, [ALL]), preimage=PREIMAGE)) == different


def test_a_hash_lock_for_all_asks_for_preimage_and_signature_over_all() -> None:
    """Hash locks once slipped past the check of SIG_ALL in the reference mint."""
    receiver = [("pubkeys", *keys(1)), ("refund", *keys(2)), FUTURE]
    assert said(*all_locked(2, 1, kind=HTLC, tags=receiver)) is None
    assert said(*all_locked(2, 2, kind=HTLC, tags=receiver)) == NOT_MET
    assert said(*all_locked(2, 2, kind=HTLC, tags=receiver), now_s=NOW + 2) is None
    assert said(*all_locked(2, kind=HTLC, tags=receiver)) == "no signatures in proof."
    signed = all_locked(2, 1, kind=HTLC, tags=receiver)
    stripped = proof(signed[0].secret, *json.loads(signed[0].witness or "")["signatures"])
    assert said(stripped, signed[1]) == "no HTLC preimage provided"
    alone = hash_locked([ALL, *receiver], key(1))
    assert said(alone) == NOT_MET


def test_a_right_preimage_is_shown_and_nothing_else() -> None:
    receiver = [("pubkeys", *keys(1))]
    only = json.dumps({"preimage": PREIMAGE}, separators=(",", ":"))
    assert shown_witness(hash_locked(receiver, key(1))) == only
    assert shown_witness(hash_locked(receiver, key(1), preimage=PREIMAGE.upper())) == only
    assert shown_witness(hash_locked(receiver, key(1), preimage=None)) is None
    assert shown_witness(hash_locked(receiver, key(1), preimage="11" * 32)) is None
    assert shown_witness(key_locked((), key(0))) is None
    assert shown_witness(PLAIN) is None
    assert shown_witness(proof(secret("P2PX", "00"), preimage=PREIMAGE)) is None


def test_the_preimage_that_speaks_for_all_is_shown_for_all() -> None:
    signed = all_locked(3, 1, kind=HTLC, tags=[("pubkeys", *keys(1))])
    shown = shown_witnesses(signed)
    assert shown == (shown_witness(signed[0]),) * 3
    assert shown[0] is not None
    mixed = [hash_locked(()), PLAIN, hash_locked((), preimage=None)]
    assert shown_witnesses(mixed) == (shown_witness(mixed[0]), None, None)


def quote_signed(digest: bytes, quote: str, outputs: list[BlindedMessage]) -> bool:
    return quote_signature_holds(
        quote,
        outputs,
        pubkey=bytes.fromhex(name(key(3))),
        signature=key(3).sign_schnorr(digest),
        verify=verify_schnorr,
    )


def test_a_quote_is_issued_by_its_keys_signature_over_quote_and_outputs() -> None:
    outputs = [OUTPUT, BlindedMessage("01" * 33, 256, bytes.fromhex(name(key(7))))]
    for message_of in (framed_quote_message, plain_quote_message):
        digest = message_of("a quote", outputs)
        assert quote_signed(digest, "a quote", outputs)
        assert not quote_signed(digest, "another", outputs)
        assert not quote_signed(digest, "a quote", outputs[::-1])
        assert not quote_signed(digest, "a quote", outputs[:1])
    assert not quote_signed(bytes(32), "a quote", outputs)


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(65)])
def test_a_quote_signature_of_another_length_does_not_reach_the_curve(signature: bytes) -> None:
    def unreachable(_key: bytes, _message: bytes, _signature: bytes) -> bool:
        raise AssertionError

    given_key = bytes.fromhex(name(key(3)))
    assert not quote_signature_holds(
        "q", [OUTPUT], pubkey=given_key, signature=signature, verify=unreachable
    )


def test_the_framed_quote_message_covers_amounts() -> None:
    blank = BlindedMessage("01" * 33, 0, POINT)
    expected = b"Cashu_MintQuoteSig_v1" + b"\0\0\0\1q" + b"\0\0\0\0" + b"\0\0\0\x21" + POINT
    assert framed_quote_message("q", [blank]) == hashlib.sha256(expected).digest()
    assert framed_quote_message("q", [OUTPUT]) != framed_quote_message("q", [blank])


@given(st.text(max_size=200))
def test_no_secret_makes_the_rules_raise(text: str) -> None:
    assert read_lock(text) is None or isinstance(read_lock(text), Refusal)


@given(
    st.lists(
        st.lists(
            st.sampled_from(["pubkeys", "refund", "n_sigs", "n_sigs_refund", "locktime", "sigflag"])
            | st.sampled_from(["1", "2", "x", "SIG_ALL", name(key(0)), name(key(1)).upper()]),
            min_size=1,
            max_size=3,
        ),
        max_size=6,
    )
)
def test_no_tags_open_a_key_lock_without_its_keys_before_it_expires(tags: list[list[str]]) -> None:
    text = secret(P2PK, name(key(4)), tags)
    assert said(proof(text, *sign(text, key(5))), now_s=0) is not None
