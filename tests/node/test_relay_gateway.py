"""A relay and a mint's gateway, whole in this process: who learns what, and what is refused."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from pyhpke import KEMKeyPair
from tests.node.mint_world import Meet, MintTown, Reply, ask, meeting, shown, spent
from tests.node.relay_wallet import SUITE, seal

from amana.purse.limits import BODY_BYTES_MAX
from amana.relay import (
    GATEWAY_PATH,
    KEYS_TYPE,
    REQUEST_TYPE,
    RESPONSE_TYPE,
    SEALED_BYTES_MAX,
    SIZES,
    Gateway,
    RelayApp,
    SealingKey,
)
from amana.relay.forwarder import AT_ONCE_MAX
from amana.testing.rooms import SeededChance
from amana.wire.binary_http import (
    BinaryRequest,
    BinaryResponse,
    padded,
    read_response,
    write_request,
)

VECTORS: Final = json.loads(
    (Path(__file__).parents[1] / "vectors" / "ohttp" / "rfc9458.json").read_text(encoding="utf-8")
)
MINT: Final = "http://mint.localhost:8401"
HOST: Final = "mint.localhost:8401"
KEY: Final = SealingKey.from_secret(b"\x05" * 32)


@pytest.fixture(scope="module")
def mint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meet]:
    with meeting(tmp_path_factory.mktemp("relayed")) as meet:
        yield meet


class Watched(httpx.AsyncBaseTransport):
    """The network between relay and mint, and all that went over it."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app)
        self.seen: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return await self._inner.handle_async_request(request)


def gateway(town: MintTown) -> Gateway:
    return Gateway(town.app, KEY, SeededChance(3))


def message(method: str, path: str, body: object = None, **headers: str) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    fields = tuple((name.encode(), value.encode()) for name, value in headers.items())
    host = HOST.encode()
    request = BinaryRequest(method.encode(), b"http", host, path.encode(), fields, content)
    return padded(write_request(request), SIZES)


async def relayed(relay: RelayApp, plain: bytes) -> BinaryResponse:
    """Ask the mint as a wallet does: the key from the relay, then a sealed request."""
    keys = await ask(relay, "GET", f"/{HOST}")
    assert (keys.status, keys.headers["content-type"]) == (200, KEYS_TYPE)
    sealed = seal(keys.body, plain)
    told = await post(relay, f"/{HOST}", sealed.message)
    assert (told.status, told.headers["content-type"]) == (200, RESPONSE_TYPE)
    answer = read_response(sealed.open(told.body))
    assert isinstance(answer, BinaryResponse)
    return answer


async def post(app: Any, path: str, body: bytes, media_type: str = REQUEST_TYPE) -> Reply:
    return await ask(app, "POST", path, body, content_type=media_type)


def test_the_published_example_is_opened_and_answered_to_the_byte() -> None:
    vector = {name: bytes.fromhex(text) for name, text in VECTORS.items()}
    secret = SUITE.kem.deserialize_private_key(vector["secret_key"])
    public = SUITE.kem.deserialize_public_key(vector["key_config"][3:35])
    key = SealingKey(KEMKeyPair(secret, public), 1)

    request, seals = key.open(vector["sealed_request"])

    class Fixed:
        def draw(self, count: int) -> bytes:
            assert count == len(vector["response_nonce"])
            return vector["response_nonce"]

    assert request == vector["request"]
    assert seals.seal(vector["response"], Fixed()) == vector["sealed_response"]


def test_a_wallet_spends_through_the_relay_as_it_does_without(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        proofs = await town.issued(5)
        blinded = town.wallet.outputs(5)
        relay = RelayApp([MINT], transport=httpx.ASGITransport(gateway(town)))
        swap = {"inputs": spent(proofs), "outputs": shown(blinded)}
        answer = await relayed(relay, message("POST", "/v1/swap", swap))
        assert answer.status == 200, answer.content
        assert len(json.loads(answer.content)["signatures"]) == len(blinded)
        again = await relayed(relay, message("POST", "/v1/swap", {**swap, "outputs": []}))
        assert again.status == 400
        assert await town.state(proofs[0]) == "SPENT"
        await relay.close()

    mint(talk)


def test_the_relay_sends_on_what_was_sealed_and_nothing_of_the_asker(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        network = Watched(gateway(town))
        relay = RelayApp([MINT], transport=network)
        sealed = seal(KEY.config, message("GET", "/v1/keysets"))
        told = await ask(
            relay,
            "POST",
            f"/{HOST}",
            sealed.message,
            content_type=REQUEST_TYPE,
            cookie="who=amal",
            user_agent="a rare browser",
            x_forwarded_for="192.0.2.7",
            origin="http://localhost:8400",
            authorization="Bearer x",
        )
        assert told.status == 200
        (request,) = network.seen
        assert str(request.url) == f"http://127.0.0.1:8401{GATEWAY_PATH}"
        assert request.headers["host"] == HOST
        assert set(request.headers) == {
            "host",
            "content-type",
            "content-length",
            "user-agent",
            "accept",
            "accept-encoding",
            "connection",
        }
        assert request.headers["user-agent"] == "amana-relay"
        assert request.content == sealed.message
        assert "set-cookie" not in told.headers
        await relay.close()

    mint(talk)


def test_sizes_tell_one_of_a_few(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        relay = RelayApp([MINT], transport=httpx.ASGITransport(gateway(town)))
        lengths = set()
        for path in ("/v1/keysets", "/v1/info", "/nowhere"):
            sealed = seal(KEY.config, message("GET", path))
            told = await post(relay, f"/{HOST}", sealed.message)
            assert len(sealed.open(told.body)) in SIZES
            lengths.add((len(sealed.message), len(told.body)))
        assert len({sent for sent, _ in lengths}) == 1
        await relay.close()

    mint(talk)


def test_the_longest_body_that_the_mint_takes_fits_under_the_seal() -> None:
    body = b"x" * BODY_BYTES_MAX
    fields = ((b"blind-auth", b"x" * 4_000), (b"content-type", b"application/json"))
    request = BinaryRequest(b"POST", b"http", HOST.encode(), b"/v1/swap", fields, body)
    assert len(padded(write_request(request), SIZES)) == SIZES[-1]
    assert len(seal(KEY.config, bytes(SIZES[-1])).message) == SEALED_BYTES_MAX


@pytest.mark.parametrize(
    ("plain", "status"),
    [
        (b"\x02", 400),
        (message("DELETE", "/v1/keysets"), 400),
        (message("GET", "/v1/keysets?who=amal"), 400),
        (message("GET", "/v1/kéysets"), 400),
        (message("GET", GATEWAY_PATH), 404),
        (message("POST", "/v1/checkstate", {"Ys": "x"}), 400),
    ],
)
def test_what_is_wrong_with_a_sealed_request_is_told_under_the_seal(
    mint: Meet, plain: bytes, status: int
) -> None:
    async def talk(town: MintTown) -> None:
        relay = RelayApp([MINT], transport=httpx.ASGITransport(gateway(town)))
        assert (await relayed(relay, plain)).status == status
        await relay.close()

    mint(talk)


def test_the_mint_is_told_only_the_headers_it_reads() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, await receive(), await receive()))
        headers = [(b"content-type", b"text/plain"), (b"set-cookie", b"who=amal")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"to", "more_body": True})
        await send({"type": "http.response.body", "body": b"ld"})

    async def talk() -> BinaryResponse:
        door = Gateway(app, KEY, SeededChance(3))
        relay = RelayApp([MINT], transport=httpx.ASGITransport(door))
        headers = {"blind-auth": "authA", "cookie": "who=amal", "accept-language": "ar"}
        answer = await relayed(relay, message("POST", "/v1/swap", {}, **headers))
        await relay.close()
        return answer

    answer = asyncio.run(talk())
    assert answer == BinaryResponse(200, ((b"content-type", b"text/plain"),), b"told")
    ((scope, first, second),) = seen
    assert scope["headers"] == [(b"blind-auth", b"authA"), (b"content-length", b"2")]
    assert (first["body"], second["type"]) == (b"{}", "http.disconnect")


async def _answered(send: Any, status: int, media_type: str, body: bytes) -> None:
    headers = [(b"content-type", media_type.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def test_what_was_sealed_to_another_key_is_refused_so_that_the_wallet_fetches_the_key(
    mint: Meet,
) -> None:
    async def talk(town: MintTown) -> None:
        relay = RelayApp([MINT], transport=httpx.ASGITransport(gateway(town)))
        other = SealingKey.from_secret(b"\x06" * 32)
        told = await post(relay, f"/{HOST}", seal(other.config, b"x").message)
        assert (told.status, told.headers["content-type"]) == (400, "application/problem+json")
        assert told.json["type"].endswith("#ohttp-key")
        spoilt = bytearray(seal(KEY.config, b"x").message)
        spoilt[-1] ^= 1
        assert (await post(relay, f"/{HOST}", bytes(spoilt))).status == 400
        # A point of small order makes a secret that anybody knows.
        weak = KEY.header + bytes(60)
        assert (await post(relay, f"/{HOST}", weak)).status == 400
        await relay.close()

    mint(talk)


Case = Callable[[Any, str], Awaitable[Reply]]


@pytest.mark.parametrize("is_relay", [True, False])
@pytest.mark.parametrize(
    ("case", "status"),
    [
        (lambda app, path: ask(app, "PUT", path), 405),
        (lambda app, path: post(app, path, b"x", "application/json"), 415),
        (lambda app, path: post(app, path, bytes(SEALED_BYTES_MAX + 1)), 413),
        (
            lambda app, path: ask(
                app, "POST", path, b"x", content_type=REQUEST_TYPE, content_length="9" * 20
            ),
            413,
        ),
    ],
)
def test_relay_and_gateway_take_sealed_requests_of_bounded_size_alone(
    mint: Meet, case: Case, status: int, *, is_relay: bool
) -> None:
    async def talk(town: MintTown) -> None:
        door = gateway(town)
        relay = RelayApp([MINT], transport=httpx.ASGITransport(door))
        app, path = (relay, f"/{HOST}") if is_relay else (door, GATEWAY_PATH)
        assert (await case(app, path)).status == status
        await relay.close()

    mint(talk)


def test_the_relay_forwards_to_the_mints_it_was_started_for_alone(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        network = Watched(gateway(town))
        relay = RelayApp([MINT], transport=network)
        for path in ("/", "/other.example", f"/{HOST}/relay", f"/{HOST}@other.example"):
            assert (await post(relay, path, b"x")).status == 404
        assert not network.seen
        await relay.close()

    mint(talk)


def test_a_page_may_ask_the_relay(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        relay = RelayApp([MINT], transport=httpx.ASGITransport(gateway(town)))
        told = await ask(relay, "OPTIONS", f"/{HOST}")
        assert told.status == 204
        assert told.headers["access-control-allow-origin"] == "*"
        assert told.headers["access-control-allow-headers"] == "content-type"
        assert "access-control-allow-credentials" not in told.headers
        await relay.close()

    mint(talk)


def test_the_key_is_the_same_for_everybody_whatever_the_mint_tells_meanwhile() -> None:
    keys = iter([KEY.config, SealingKey.from_secret(b"\x06" * 32).config])

    async def app(_: Any, __: Any, send: Any) -> None:
        await _answered(send, 200, KEYS_TYPE, next(keys))

    async def talk() -> list[bytes]:
        relay = RelayApp([MINT], transport=httpx.ASGITransport(app))
        told = [(await ask(relay, "GET", f"/{HOST}")).body for _ in range(2)]
        await relay.close()
        return told

    assert asyncio.run(talk()) == [KEY.config] * 2


def test_those_who_ask_for_the_key_at_once_are_told_one_key() -> None:
    others = iter(SealingKey.from_secret(bytes([number]) * 32).config for number in range(6, 12))

    async def app(_: Any, __: Any, send: Any) -> None:
        key = next(others)
        await asyncio.sleep(0)
        await _answered(send, 200, KEYS_TYPE, key)

    async def talk() -> set[bytes]:
        relay = RelayApp([MINT], transport=httpx.ASGITransport(app))
        asked = [ask(relay, "GET", f"/{HOST}") for _ in range(5)]
        told = {reply.body for reply in await asyncio.gather(*asked)}
        await relay.close()
        return told

    assert len(asyncio.run(talk())) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("told", "status"),
    [
        ((200, "text/html", b"<script>"), 502),
        ((200, KEYS_TYPE, bytes(2 * SEALED_BYTES_MAX)), 502),
        ((500, "text/plain", b"which address asked"), 500),
    ],
)
def test_the_relay_tells_nothing_but_sealed_answers_and_keys(
    method: str, told: tuple[int, str, bytes], status: int
) -> None:
    async def app(_: Any, __: Any, send: Any) -> None:
        await _answered(send, *told)

    async def talk() -> Reply:
        relay = RelayApp([MINT], transport=httpx.ASGITransport(app))
        reply = await ask(relay, method, f"/{HOST}", b"x", content_type=REQUEST_TYPE)
        await relay.close()
        return reply

    reply = asyncio.run(talk())
    assert (reply.status, reply.body) == (status if method == "POST" else 502, b"")


def test_a_mint_that_is_gone_is_told_as_gone() -> None:
    def gone(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone")

    async def talk() -> int:
        relay = RelayApp([MINT], transport=httpx.MockTransport(gone))
        told = await post(relay, f"/{HOST}", b"x")
        await relay.close()
        return told.status

    assert asyncio.run(talk()) == 502


def test_more_requests_than_the_relay_holds_are_told_to_come_again() -> None:
    async def talk() -> list[int]:
        go_on = asyncio.Event()

        async def app(_: Any, __: Any, send: Any) -> None:
            await go_on.wait()
            await _answered(send, 200, RESPONSE_TYPE, b"x")

        relay = RelayApp([MINT], transport=httpx.ASGITransport(app))
        held = [asyncio.ensure_future(post(relay, f"/{HOST}", b"x")) for _ in range(AT_ONCE_MAX)]
        await asyncio.sleep(0)
        refused = await post(relay, f"/{HOST}", b"x")
        go_on.set()
        told = [(await each).status for each in held]
        await relay.close()
        return [refused.status, *sorted(set(told))]

    assert asyncio.run(talk()) == [503, 200]


def test_the_gateway_leaves_every_other_address_to_the_mint(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        told = await ask(gateway(town), "GET", "/v1/keysets")
        assert told == await town.get("/v1/keysets")

    mint(talk)


@pytest.mark.parametrize("is_relay", [True, False])
def test_a_caller_who_goes_away_is_asked_for_nothing_more(mint: Meet, *, is_relay: bool) -> None:
    async def talk(town: MintTown) -> None:
        network = Watched(gateway(town))
        relay = RelayApp([MINT], transport=network)
        app: Any = relay if is_relay else gateway(town)
        parts = [
            {"type": "http.request", "body": b"x", "more_body": True},
            {"type": "http.disconnect"},
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            return parts.pop(0)

        async def send(part: Any) -> None:
            sent.append(part)

        scope = {
            "type": "http",
            "method": "POST",
            "path": f"/{HOST}" if is_relay else GATEWAY_PATH,
            "headers": [(b"content-type", REQUEST_TYPE.encode())],
        }
        await app(scope, receive, send)
        assert sent[0]["status"] == 413
        assert not network.seen
        await relay.close()

    mint(talk)
