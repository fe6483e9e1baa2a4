"""Blind tokens: rationed by customer and day, used once, and not used up by a refusal."""

import asyncio
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.kernel import DAY_NS, SECOND_NS, AmanaId, Instant, Unavailable, day_number
from amana.purse.auth import (
    AUTH_UNIT,
    ENDPOINTS,
    Access,
    Allowance,
    AuthRows,
    AuthStore,
    BlindAuth,
    BlindToken,
    Endpoint,
    MintGuard,
    SpentToken,
    access_of,
    protected,
)
from amana.purse.auth.model import TOKENS_AT_ONCE_MAX
from amana.purse.auth.ports import SpentKey
from amana.purse.auth.rules import is_decided, read_blind_token
from amana.purse.keysets import KeysetPlan
from amana.purse.model import BlindedMessage, BlindSignature, Code, Keyset, Proof, Refusal
from amana.purse.ports import Blank, Signed
from amana.purse.signatory import InProcessSignatory
from amana.testing.ecash import Blinded, BlindingWallet
from amana.testing.rooms import Books, HandClock, SeededChance, open_books

AMAL: Final = AmanaId(11)
BADR: Final = AmanaId(12)
ALLOWANCE: Final = Allowance(at_once=5, a_day=8)
EXPIRY_S: Final = 10 * 86_400
CLEAR: Final = "a clear token of Amal"

_T = TypeVar("_T")


class OneClearToken:
    """Reads clear tokens, of which there is one."""

    def party_of(self, token: str, now: Instant) -> AmanaId | None:
        del now
        return AMAL if token == CLEAR else None


class World:
    """A signatory with tokens and money, books, and what gives and takes tokens."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.clock = HandClock()
        self.end_s = self.clock.now() // SECOND_NS + EXPIRY_S
        self.signatory = InProcessSignatory.fresh(
            bytes(32),
            [KeysetPlan("eur", (1, 2)), KeysetPlan(AUTH_UNIT, (1,), final_expiry=self.end_s)],
            self.clock,
        )
        self.money, self.tokens = self.signatory.keysets()
        self.store = AuthStore(books.writer, books.connection)
        self.auth = self.opened()
        self.chance = SeededChance(7)

    def opened(self) -> BlindAuth:
        """What a start of the mint gives."""
        return BlindAuth(
            signatory=self.signatory,
            reader=AuthRows(self.books.reading),
            writer=self.store,
            clock=self.clock,
            allowance=ALLOWANCE,
        )

    def guard(self, *, asks_blind: bool = True) -> MintGuard:
        return MintGuard(
            auth=self.auth, clear=OneClearToken(), clock=self.clock, asks_blind=asks_blind
        )

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self.books.run(work)

    def outputs(self, count: int, keyset: Keyset | None = None) -> list[Blinded]:
        wallet = BlindingWallet(keyset or self.tokens, self.chance.draw)
        return [wallet.output(1) for _ in range(count)]

    def ask(self, outputs: Sequence[Blinded], party: AmanaId = AMAL) -> tuple[Any, ...] | Refusal:
        return self.run(self.auth.give(party, [output.message for output in outputs]))

    def given(self, count: int, party: AmanaId = AMAL) -> list[Proof]:
        outputs = self.outputs(count)
        signatures = self.ask(outputs, party)
        assert isinstance(signatures, tuple), signatures
        wallet = BlindingWallet(self.tokens, self.chance.draw)
        return wallet.proofs(outputs, signatures)

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        return self.books.reading.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - ours


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_books(tmp_path) as books:
        yield World(books)


def fields_of(proof: Proof) -> dict[str, Any]:
    return {"id": proof.keyset_id, "secret": proof.secret, "C": proof.point.hex()}


def text_of(fields: Any, *, is_padded: bool = True) -> str:
    text = urlsafe_b64encode(json.dumps(fields).encode()).decode()
    return "authA" + (text if is_padded else text.rstrip("="))


def admitted(outcome: SpentToken | Refusal) -> SpentToken:
    assert isinstance(outcome, SpentToken), outcome
    return outcome


def code_of(outcome: object) -> Code | None:
    return outcome.code if isinstance(outcome, Refusal) else None


def test_a_customer_gets_tokens_whose_signature_holds_and_uses_each_once(world: World) -> None:
    for proof in world.given(3):
        text = text_of(fields_of(proof))
        world.run(admitted(world.run(world.auth.admit(text))).commit())
        assert code_of(world.run(world.auth.admit(text))) is Code.BLIND_AUTH_FAILED
        assert code_of(world.run(world.opened().admit(text))) is Code.BLIND_AUTH_FAILED
    assert len(world.rows("purse_auth_spent")) == 3


def test_a_token_that_led_to_a_refusal_is_as_good_as_before(world: World) -> None:
    (proof,) = world.given(1)
    text = text_of(fields_of(proof))
    admitted(world.run(world.auth.admit(text))).release()
    token = admitted(world.run(world.auth.admit(text)))
    world.run(token.commit())
    token.release()
    assert code_of(world.run(world.auth.admit(text))) is Code.BLIND_AUTH_FAILED


def test_two_requests_at_once_cannot_both_come_with_one_token(world: World) -> None:
    (proof,) = world.given(1)

    async def together() -> list[SpentToken | Refusal]:
        text = text_of(fields_of(proof))
        return await asyncio.gather(*(world.auth.admit(text) for _ in range(50)))

    outcomes = world.run(together())
    assert sum(isinstance(outcome, SpentToken) for outcome in outcomes) == 1
    assert {code_of(one) for one in outcomes} == {None, Code.BLIND_AUTH_FAILED}


class FullDisk(AuthStore):
    """Storage that takes nothing more."""

    async def spend(self, token: SpentKey) -> bool:
        del token
        raise Unavailable("full")


def test_a_token_whose_use_cannot_be_written_opens_nothing_more(world: World) -> None:
    (proof,) = world.given(1)
    text = text_of(fields_of(proof))
    world.auth._writer = FullDisk(world.books.writer, world.books.connection)
    token = admitted(world.run(world.auth.admit(text)))
    with pytest.raises(Unavailable):
        world.run(token.commit())
    token.release()
    assert code_of(world.run(world.auth.admit(text))) is Code.BLIND_AUTH_FAILED


def test_the_index_judges_a_token_that_is_spent_twice(world: World) -> None:
    async def both() -> list[bool]:
        return await asyncio.gather(*(world.store.spend(SpentKey(1, bytes(32))) for _ in range(2)))

    assert sorted(world.run(both())) == [False, True]
    assert world.run(world.store.spend(SpentKey(1, bytes(32)))) is False


def test_tokens_come_with_padding_or_without(world: World) -> None:
    for length in range(1, 5):
        output = BlindingWallet(world.tokens, world.chance.draw).output(1, "s" * length)
        signatures = world.ask([output])
        assert isinstance(signatures, tuple)
        fields = fields_of(
            BlindingWallet(world.tokens, world.chance.draw).proofs([output], signatures)[0]
        )
        for is_padded in (True, False):
            text = text_of(fields, is_padded=is_padded)
            admitted(world.run(world.auth.admit(text))).release()


def test_a_token_with_its_dleq_proof_is_refused_for_it_tells_whose_it_is(world: World) -> None:
    (proof,) = world.given(1)
    told = {"e": "00" * 32, "s": "00" * 32, "r": "00" * 32}
    refused = world.run(world.auth.admit(text_of({**fields_of(proof), "dleq": told})))
    assert code_of(refused) is Code.BLIND_AUTH_FAILED
    assert isinstance(refused, Refusal)
    assert "DLEQ" in refused.detail
    without = text_of({**fields_of(proof), "dleq": None, "amount": 1, "witness": "unread"})
    admitted(world.run(world.auth.admit(without)))


@pytest.mark.parametrize("text", [None, ""])
def test_who_comes_without_a_token_is_told_that_one_is_asked(
    world: World, text: str | None
) -> None:
    assert code_of(world.run(world.auth.admit(text))) is Code.BLIND_AUTH_MISSING


def broken_texts() -> list[str]:
    fields: dict[str, Any] = {"id": "01" * 33, "secret": "s", "C": "02" * 33}
    changed: list[dict[str, Any]] = [
        {"amount": 2},
        {"amount": "1"},
        {"C": "02" * 32},
        {"C": "zz" * 33},
        {"C": None},
        {"secret": ""},
        {"secret": "s" * 1_025},
        {"secret": "é" * 513},
        {"secret": 7},
        {"id": "0" * 67},
    ]
    good = text_of(fields)
    standard = "authA" + b64encode(json.dumps({**fields, "secret": "ü>?~~~"}).encode()).decode()
    assert "/" in standard, "the other alphabet shows"
    return [
        *(text_of({**fields, **change}) for change in changed),
        text_of([fields]),
        text_of("authA"),
        good[5:],
        good.lower(),
        "authB" + good[5:],
        good + "=" * 2_048,
        good[:20] + " " + good[20:],
        good[:20] + "\n" + good[20:],
        good + "é",
        "authA",
        "authA====",
        "authAeyJ",
        "authA" + urlsafe_b64encode(b"\xff\xfe").decode(),
        "authA" + urlsafe_b64encode(b"[" * 1_500).decode(),
        standard,
    ]


@pytest.mark.parametrize("text", broken_texts())
def test_what_is_no_token_is_refused(text: str) -> None:
    assert code_of(read_blind_token(text)) is Code.BLIND_AUTH_FAILED


@given(
    st.text(max_size=300) | st.binary(max_size=200).map(lambda raw: urlsafe_b64encode(raw).decode())
)
def test_no_text_whatever_breaks_the_reading_of_tokens(text: str) -> None:
    for tried in (text, "authA" + text):
        assert isinstance(read_blind_token(tried), BlindToken | Refusal)


@given(st.text(min_size=1, max_size=200), st.binary(min_size=33, max_size=33), st.booleans())
def test_every_token_is_read_as_it_was_written(
    secret: str,
    point: bytes,
    is_padded: bool,  # noqa: FBT001 - given by hypothesis
) -> None:
    fields = {"id": "AB", "secret": secret, "C": point.hex()}
    read = read_blind_token(text_of(fields, is_padded=is_padded))
    assert read == BlindToken("ab", secret, point)


def test_tokens_that_others_signed_or_that_are_money_are_refused(world: World) -> None:
    (proof,) = world.given(1)
    (other,) = world.given(1)
    forged = {**fields_of(proof), "C": other.point.hex()}
    unknown = {**fields_of(proof), "id": "01" * 33}
    money = {**fields_of(proof), "id": world.money.id}
    for fields in (forged, unknown, money):
        refused = world.run(world.auth.admit(text_of(fields)))
        assert code_of(refused) is Code.BLIND_AUTH_FAILED
    assert world.rows("purse_auth_spent") == []


def test_tokens_end_with_their_keyset(world: World) -> None:
    (proof,) = world.given(1)
    world.clock.advance(EXPIRY_S * SECOND_NS - 1)
    admitted(world.run(world.auth.admit(text_of(fields_of(proof))))).release()
    world.clock.advance(1)
    refused = world.run(world.auth.admit(text_of(fields_of(proof))))
    assert code_of(refused) is Code.BLIND_AUTH_FAILED
    assert code_of(world.ask(world.outputs(1))) is Code.KEYSET_EXPIRED


def test_an_older_keysets_tokens_are_taken_and_not_given(world: World) -> None:
    (proof,) = world.given(1)
    old = world.outputs(1)
    world.run(world.signatory.rotate(AUTH_UNIT, final_expiry=world.end_s + 1))
    assert [one.is_active for one in world.auth.keysets()] == [False, True]
    admitted(world.run(world.auth.admit(text_of(fields_of(proof)))))
    assert code_of(world.ask(old)) is Code.KEYSET_INACTIVE


def test_a_day_gives_so_many_tokens_to_each_and_the_next_as_many_again(world: World) -> None:
    assert len(world.given(5)) == 5
    assert code_of(world.ask(world.outputs(4))) is Code.BLIND_TOKENS_TOO_OFTEN
    assert len(world.given(3)) == 3
    assert code_of(world.ask(world.outputs(1))) is Code.BLIND_TOKENS_TOO_OFTEN
    assert len(world.given(5, BADR)) == 5, "another customer's day is their own"
    world.clock.advance(DAY_NS)
    assert len(world.given(5)) == 5
    today = day_number(world.clock.now())
    assert world.rows("purse_auth_quota") == [(today, AMAL.to_bytes(16), 5)]


def test_yesterdays_counts_are_forgotten_even_where_nobody_asks(world: World) -> None:
    world.given(1)
    world.run(world.auth.forget_counts())
    assert len(world.rows("purse_auth_quota")) == 1
    world.clock.advance(DAY_NS)
    world.run(world.auth.forget_counts())
    assert world.rows("purse_auth_quota") == []


def test_requests_at_once_get_no_more_together_than_a_day_gives(world: World) -> None:
    async def together() -> list[tuple[BlindSignature, ...] | Refusal]:
        asked = [[output.message for output in world.outputs(3)] for _ in range(10)]
        return await asyncio.gather(*(world.auth.give(AMAL, outputs) for outputs in asked))

    asked_to_sign: list[int] = []
    sign = world.signatory.sign

    async def noted(blanks: Sequence[Blank]) -> list[Signed | None]:
        asked_to_sign.append(len(blanks))
        return await sign(blanks)

    world.signatory.sign = noted  # type: ignore[method-assign]
    outcomes = world.run(together())
    given = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
    assert sum(len(signatures) for signatures in given) == 6
    refused = {code_of(outcome) for outcome in outcomes if isinstance(outcome, Refusal)}
    assert refused == {Code.BLIND_TOKENS_TOO_OFTEN}
    assert sum(asked_to_sign) == 6, "what is refused costs the signatory nothing"
    assert len(world.given(2)) == 2, "what was under way is over"


def test_what_was_refused_counts_for_nothing(world: World) -> None:
    no_point = BlindedMessage(world.tokens.id, 1, b"\x02" + b"\xff" * 32)
    asked: list[tuple[list[BlindedMessage], Code]] = [
        ([], Code.AMOUNT_OUT_OF_RANGE),
        ([one.message for one in world.outputs(6)], Code.TOO_MANY_BLIND_TOKENS),
        ([world.outputs(1)[0].message] * 2, Code.DUPLICATE_OUTPUTS),
        ([BlindedMessage(world.tokens.id, 2, bytes(33))], Code.AMOUNT_OUT_OF_RANGE),
        ([one.message for one in world.outputs(1, world.money)], Code.KEYSET_UNKNOWN),
        ([BlindedMessage("01" * 33, 1, bytes(33))], Code.KEYSET_UNKNOWN),
        (
            [one[0].message for one in (world.outputs(1), world.outputs(1, world.money))],
            Code.KEYSET_UNKNOWN,
        ),
        ([world.outputs(1)[0].message, no_point], Code.PROOF_INVALID),
    ]
    for outputs, code in asked:
        assert code_of(world.run(world.auth.give(AMAL, outputs))) is code
    assert world.rows("purse_auth_quota") == []


def test_where_the_signatory_has_stopped_nothing_is_counted(world: World) -> None:
    world.run(world.signatory.set_limit(world.tokens.number, 0))
    assert code_of(world.ask(world.outputs(1))) is Code.BLIND_TOKENS_TOO_OFTEN
    assert world.rows("purse_auth_quota") == []


def test_a_lost_answer_can_be_had_again_with_the_same_outputs(world: World) -> None:
    outputs = world.outputs(2)
    assert world.ask(outputs) == world.ask(outputs)


def test_what_is_kept_joins_no_token_with_a_customer(world: World) -> None:
    for proof in world.given(3):
        token = admitted(world.run(world.auth.admit(text_of(fields_of(proof)))))
        world.run(token.commit())
    (quota,) = world.rows("purse_auth_quota")
    assert quota == (day_number(world.clock.now()), AMAL.to_bytes(16), 3)
    spent = world.rows("purse_auth_spent")
    assert all((row[0], len(row[1])) == (world.tokens.number, 32) for row in spent)
    assert spent == sorted(spent), "rows stand in the order of random keys"


def test_an_allowance_is_one_that_wallets_understand() -> None:
    for at_once, a_day in ((0, 5), (6, 5), (TOKENS_AT_ONCE_MAX + 1, 1_000)):
        with pytest.raises(AssertionError):
            Allowance(at_once=at_once, a_day=a_day)


@pytest.mark.parametrize(
    ("method", "path", "access"),
    [
        ("GET", "/v1/keys", Access.PUBLIC),
        ("GET", "/v1/melt/quote/amana-merchant/some-id", Access.PUBLIC),
        ("POST", "/v1/mint/quote/amana-refund", Access.PUBLIC),
        ("POST", "/v1/mint/amana-refund", Access.PUBLIC),
        ("POST", "/v1/checkstate", Access.PUBLIC),
        ("POST", "/v1/restore", Access.PUBLIC),
        ("POST", "/v1/auth/blind/mint", Access.CLEAR),
        ("POST", "/v1/swap", Access.BLIND),
        ("POST", "/v1/melt/quote/amana-merchant", Access.BLIND),
        ("POST", "/v1/melt/amana-merchant", Access.BLIND),
        ("POST", "/v1/swap/batch", Access.BLIND),
        ("POST", "/v1/auth/blind/mint/batch", Access.BLIND),
        ("POST", "/v2/anything", Access.BLIND),
        ("DELETE", "/v1/keys", Access.BLIND),
    ],
)
def test_each_address_asks_what_was_decided_and_any_other_a_blind_token(
    method: str, path: str, access: Access
) -> None:
    assert access_of(method, path) is access
    assert is_decided(method, path) == (
        any(path.startswith(f"/v1/{word}/") for word in ("mint", "melt"))
        or (method, path) == ("GET", "/v1/keys")
        or (method == "POST" and path in {one.path for one in ENDPOINTS})
    )


def test_the_longest_path_decides_whatever_the_order() -> None:
    wide = Endpoint("POST", "/v1/*", Access.PUBLIC)
    narrow = Endpoint("POST", "/v1/swap", Access.CLEAR)
    for endpoints in ((wide, narrow), (narrow, wide)):
        assert access_of("POST", "/v1/swap", endpoints) is Access.CLEAR
        assert access_of("POST", "/v1/swaps", endpoints) is Access.PUBLIC


def test_the_lists_for_wallets_hold_paths_that_they_match_as_we_do() -> None:
    assert protected(Access.CLEAR) == [{"method": "POST", "path": "/v1/auth/blind/mint"}]
    listed = protected(Access.BLIND)
    assert {"method": "POST", "path": "/v1/swap"} in listed
    assert all("*" not in entry["path"][:-1] for entry in listed)


def test_the_guard_lets_each_in_by_what_its_address_asks(world: World) -> None:
    guard, (proof,) = world.guard(), world.given(1)
    text = text_of(fields_of(proof))

    async def admit(method: str, path: str, headers: dict[str, str]) -> Any:
        return await guard.admit(method, path, headers)

    free = world.run(admit("GET", "/v1/keys", {}))
    assert free.party is None
    free.release()
    world.run(free.commit())
    assert code_of(world.run(admit("POST", "/v1/swap", {}))) is Code.BLIND_AUTH_MISSING
    wrong = {"clear-auth": CLEAR}
    assert code_of(world.run(admit("POST", "/v1/swap", wrong))) is Code.BLIND_AUTH_MISSING
    paid = world.run(admit("POST", "/v1/swap", {"blind-auth": text}))
    assert paid.party is None
    paid.release()
    paid = world.run(admit("POST", "/v1/melt/amana-merchant", {"blind-auth": text}))
    world.run(paid.commit())
    again = world.run(admit("POST", "/v1/swap", {"blind-auth": text}))
    assert code_of(again) is Code.BLIND_AUTH_FAILED


def test_tokens_are_fetched_with_a_clear_token_alone(world: World) -> None:
    guard, path = world.guard(asks_blind=False), "/v1/auth/blind/mint"
    named = world.run(guard.admit("POST", path, {"clear-auth": CLEAR}))
    assert not isinstance(named, Refusal)
    assert named.party == AMAL
    for headers, code in (
        ({}, Code.CLEAR_AUTH_MISSING),
        ({"blind-auth": CLEAR}, Code.CLEAR_AUTH_MISSING),
        ({"clear-auth": "another"}, Code.CLEAR_AUTH_FAILED),
        ({"clear-auth": CLEAR * 1_000}, Code.CLEAR_AUTH_FAILED),
    ):
        assert code_of(world.run(guard.admit("POST", path, headers))) is code


def test_an_operator_that_does_not_ration_asks_for_no_blind_token(world: World) -> None:
    guard = world.guard(asks_blind=False)
    assert not isinstance(world.run(guard.admit("POST", "/v1/swap", {})), Refusal)
