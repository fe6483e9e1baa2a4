"""Who may use an address of the mint, and what an answer costs; what happens when parts fail."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any, Final

import pytest
from tests.node.mint_world import Reply, ask

from amana.kernel import SECOND_NS, AmanaId, Unavailable
from amana.node.mint import MintApp, OpenGuard, Route
from amana.node.mint.guard import Guard
from amana.node.mint.retries import KEPT_BYTES_MAX, KEPT_S, Retries
from amana.node.mint.routes import Answer, Fault, Malformed, Request, Table
from amana.purse.auth import Admission
from amana.purse.model import Code, Refusal
from amana.testing.rooms import HandClock

PLANTED: Final = "a secret that was sent"
IN_VAIN: Final = {
    Code.PROOF_INVALID,
    Code.ALREADY_SPENT,
    Code.PROOFS_PENDING,
    Code.ALREADY_SIGNED,
    Code.QUOTE_SIGNATURE_INVALID,
}
"""Refusals before which signatures were checked or made, through nobody's fault but the asker's."""


class Door:
    """A guard that lets in whoever brings `yes`, and counts what becomes of it."""

    def __init__(self, *, party: AmanaId | None = None, can_commit: bool = True) -> None:
        self.party = party
        self.asked: list[tuple[str, str]] = []
        self.ended: list[str] = []
        self._can_commit = can_commit

    async def admit(
        self, method: str, path: str, headers: Mapping[str, str]
    ) -> Admission | Refusal:
        self.asked.append((method, path))
        if headers.get("blind-auth") != "yes":
            return Refusal(Code.BLIND_AUTH_MISSING, "Endpoint requires blind auth")
        return self

    async def commit(self) -> None:
        if not self._can_commit:
            raise Unavailable("the disk is full")
        self.ended.append("commit")

    def release(self) -> None:
        self.ended.append("release")


class Deaf:
    """Subscriptions of a mint that nobody listens to."""


async def good(request: Request) -> Answer:
    return b'{"body": %d}' % len(request.body)


async def bad(_: Request) -> Answer:
    return Refusal(Code.NOT_BALANCED, "Inputs and outputs differ.")


async def gone(_: Request) -> Answer:
    raise Unavailable(PLANTED)


async def wrong(_: Request) -> Answer:
    raise AssertionError(PLANTED)


async def unclear(_: Request) -> Answer:
    raise Malformed("not a number")


async def nowhere(_: Request) -> Answer:
    return Fault(400, "quote not found")


ANSWERS: Final = {
    "good": good,
    "bad": bad,
    "gone": gone,
    "wrong": wrong,
    "unclear": unclear,
    "nowhere": nowhere,
}


def app_with(guard: Guard, clock: HandClock | None = None) -> MintApp:
    """Make an application whose addresses nobody decided on, so that each asks for a token."""
    routes = [
        *(Route("POST", f"/v1/new/{name}", answer) for name, answer in ANSWERS.items()),
        *(
            Route("POST", f"/v1/kept/{name}", answer, is_kept=True)
            for name, answer in ANSWERS.items()
        ),
        Route("GET", "/v1/open", good),
        Route("POST", "/v1/auth/blind/mint", good),
    ]
    nobody: Any = Deaf()
    return MintApp(Table(routes), guard, Retries(clock or HandClock()), nobody)


def asked(app: MintApp, path: str, **headers: str) -> Reply:
    return asyncio.run(ask(app, "POST", path, {}, **headers))


def test_an_address_that_nobody_decided_on_asks_for_a_token() -> None:
    door = Door()
    answer = asked(app_with(door), "/v1/new/good")
    assert (answer.status, answer.json["code"]) == (400, Code.BLIND_AUTH_MISSING)
    assert door.asked == [("POST", "/v1/new/good")]
    assert door.ended == [], "nothing was let in"


def test_what_anybody_may_read_asks_nobody() -> None:
    door = Door()
    assert asyncio.run(ask(app_with(door), "GET", "/v1/open")).status == 200
    assert door.asked == []


@pytest.mark.parametrize("name", ANSWERS)
def test_success_alone_uses_a_token_up(name: str) -> None:
    door = Door()
    answer = asked(app_with(door), f"/v1/new/{name}", blind_auth="yes")
    assert door.ended == ["commit" if name == "good" else "release"]
    assert (answer.status == 200) == (name == "good")


@pytest.mark.parametrize("code", Code)
def test_a_refusal_uses_a_token_up_where_the_asker_had_the_keys_work_in_vain(code: Code) -> None:
    async def refusing(_: Request) -> Answer:
        return Refusal(code, "no")

    nobody: Any = Deaf()
    door = Door()
    table = Table([Route("POST", "/v1/new/refusing", refusing)])
    answer = asked(
        MintApp(table, door, Retries(HandClock()), nobody), "/v1/new/refusing", blind_auth="yes"
    )
    assert (answer.status, answer.json["code"]) == (400, code)
    assert door.ended == ["commit" if code in IN_VAIN else "release"]


def test_an_answer_is_not_lost_because_its_token_could_not_be_noted() -> None:
    door = Door(can_commit=False)
    assert asked(app_with(door), "/v1/new/good", blind_auth="yes").status == 200
    assert door.ended == [], "the token is not given back either"


def test_an_answer_that_was_paid_for_is_given_again_without_a_token() -> None:
    app, path = app_with(door := Door()), "/v1/kept/good"
    first = asked(app, path, blind_auth="yes")
    assert asked(app, path) == first
    assert len(door.asked) == 1


def test_a_mint_without_tokens_lets_in_all_but_where_a_customer_is_named() -> None:
    app = app_with(OpenGuard())
    assert asked(app, "/v1/new/good").status == 200
    assert asked(app, "/v1/new/bad").json["code"] == Code.NOT_BALANCED
    assert asked(app, "/v1/auth/blind/mint").json["code"] == Code.CLEAR_AUTH_MISSING
    admission = asyncio.run(OpenGuard().admit("POST", "/v1/swap", {}))
    assert not isinstance(admission, Refusal)
    assert admission.party is None


@pytest.mark.parametrize("kind", ["new", "kept"])
def test_a_failure_is_told_without_what_was_sent(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = app_with(OpenGuard())
    with caplog.at_level(logging.DEBUG):
        answers = {name: asked(app, f"/v1/{kind}/{name}") for name in ANSWERS}
    assert [answers[name].status for name in ("gone", "wrong", "unclear", "nowhere")] == [
        503,
        500,
        400,
        400,
    ]
    for answer in answers.values():
        assert PLANTED.encode() not in answer.body
    assert "mint_mistake kind=AssertionError" in caplog.text
    assert PLANTED not in caplog.text
    assert "Traceback" not in caplog.text


def test_whoever_waits_for_a_request_under_way_hears_of_its_failure() -> None:
    async def run() -> None:
        retries, may_end = Retries(HandClock()), asyncio.Event()

        async def work() -> Answer:
            await may_end.wait()
            raise Unavailable("gone")

        async def never() -> Answer:
            raise AssertionError("the first is still under way")

        asked = [
            asyncio.ensure_future(retries.once("/v1/swap", b"x", each)) for each in (work, never)
        ]
        asyncio.get_running_loop().call_soon(may_end.set)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)

    asyncio.run(run())


def test_kept_answers_are_forgotten_after_a_minute_and_bounded_before() -> None:
    async def run() -> None:
        clock = HandClock()
        retries = Retries(clock)
        done: list[bytes] = []

        async def keep(name: bytes, answer: bytes) -> None:
            async def work() -> Answer:
                done.append(name)
                return answer

            assert await retries.once("/v1/swap", name, work) == answer

        for name in (b"1", b"1", b"2"):
            await keep(name, name)
        assert done == [b"1", b"2"]
        await keep(b"large", b"l" * (KEPT_BYTES_MAX - 1))
        await keep(b"1", b"1")
        assert done == [b"1", b"2", b"large", b"1"], "the oldest made room"
        assert retries.sweep()
        clock.advance(KEPT_S * SECOND_NS)
        assert not retries.sweep(), "nothing is left"
        await keep(b"large", b"small")

    asyncio.run(run())


def test_an_answer_that_is_kept_again_takes_its_room_once() -> None:
    async def run() -> None:
        clock = HandClock()
        retries = Retries(clock)
        done: list[bytes] = []

        async def keep(name: bytes) -> None:
            async def work() -> Answer:
                done.append(name)
                return bytes(KEPT_BYTES_MAX // 2)

            await retries.once("/v1/pay/x", name, work)

        await keep(b"1")
        clock.advance(KEPT_S * SECOND_NS)
        for name in (b"1", b"2", b"1"):
            await keep(name)
        assert done == [b"1", b"1", b"2"]
        clock.advance(KEPT_S * SECOND_NS)
        assert not retries.sweep()

    asyncio.run(run())


def test_no_address_has_two_meanings() -> None:
    with pytest.raises(AssertionError, match="one meaning"):
        Table([Route("GET", "/v1/open", good), Route("GET", "/v1/open", bad)])


def test_a_body_in_many_pieces_costs_no_more_than_its_bytes() -> None:
    pieces = 100_000

    async def run() -> dict[str, Any]:
        sent: list[dict[str, Any]] = []
        left = iter(range(pieces, -1, -1))

        async def receive() -> Any:
            return {"type": "http.request", "body": b"x" * 10, "more_body": next(left) > 0}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/new/good", "headers": []}
        await app_with(OpenGuard())(scope, receive, send)
        return sent[-1]

    begun = time.process_time()
    assert asyncio.run(run())["body"] == b'{"body": %d}' % (10 * (pieces + 1))
    assert time.process_time() - begun < 1, "copied with each piece it takes several seconds"


def test_a_body_may_come_in_pieces_and_may_break_off() -> None:
    async def run(*pieces: dict[str, Any]) -> dict[str, Any]:
        sent: list[dict[str, Any]] = []
        received = list(pieces)

        async def receive() -> Any:
            return received.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/new/good", "headers": []}
        await app_with(OpenGuard())(scope, receive, send)
        return sent[-1]

    more = {"type": "http.request", "body": b"{", "more_body": True}
    last = {"type": "http.request", "body": b"}"}
    assert asyncio.run(run(more, last))["body"] == b'{"body": 2}'
    assert b"detail" in asyncio.run(run(more, {"type": "http.disconnect"}))["body"]
