"""The poster against real servers on this machine: plain, with TLS, rubbish, slow, led astray."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from amana.events.webhooks import Answered, HttpPoster, NoAnswer, Outcome, look_up
from amana.events.webhooks.client import Resolve

BODY = b'{"type":"order.paid"}'
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Server:
    """Answers each connection with the same bytes, and keeps what it read."""

    answer: bytes | None = OK
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    asked_for: list[str | None] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, then answer, or never."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head + await reader.readexactly(len(BODY)))
            if self.answer is None:
                await reader.read()
            else:
                writer.write(self.answer)
                await writer.drain()
        finally:
            writer.close()

    def headers(self) -> dict[str, str]:
        """Return the headers of the only request."""
        (request,) = self.requests
        lines = request.decode().split("\r\n\r\n")[0].split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@asynccontextmanager
async def serving(
    answer: bytes | None = OK, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    server = Server(answer)
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: server.asked_for.append(name)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


def names(*addresses: str) -> Resolve:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return addresses

    return resolve


HERE = names("127.0.0.1")


async def post(
    url: str,
    *,
    resolve: Resolve = HERE,
    is_play_money: bool = True,
    certificates: ssl.SSLContext | None = None,
    timeout_ms: int = 10_000,
) -> Outcome:
    poster = HttpPoster(
        is_play_money=is_play_money,
        resolve=resolve,
        certificates=certificates,
        timeout_ms=timeout_ms,
    )
    async with poster:
        return await poster.post(url, {"webhook-id": "whk_1"}, BODY)


def test_a_message_arrives_as_it_was_written() -> None:
    async def story() -> None:
        async with serving() as server:
            assert await post(f"http://shop.localhost:{server.port}/hook?a=b%20c") == Answered(204)
            assert server.requests[0].startswith(b"POST /hook?a=b%20c HTTP/1.1\r\n")
            assert server.requests[0].endswith(BODY)
            headers = server.headers()
            assert headers["host"] == f"shop.localhost:{server.port}"
            assert headers["webhook-id"] == "whk_1"
            assert headers["content-type"] == "application/json"
            assert headers["user-agent"] == "Amana"
            assert {"cookie", "authorization", "accept-encoding"}.isdisjoint(headers)

    asyncio.run(story())


def test_the_machine_looks_names_up() -> None:
    async def story() -> None:
        async with serving() as server:
            url = f"http://127.0.0.1:{server.port}/"
            assert await post(url, resolve=look_up) == Answered(204)

    asyncio.run(story())


@pytest.mark.parametrize("status", [200, 301, 308, 404, 410, 500])
def test_any_status_is_an_answer_and_no_redirection_is_followed(status: int) -> None:
    async def story() -> None:
        async with serving() as elsewhere:
            location = f"http://shop.localhost:{elsewhere.port}/"
            answer = f"HTTP/1.1 {status} Word\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
            async with serving(answer.encode()) as server:
                assert await post(f"http://shop.localhost:{server.port}/") == Answered(status)
            assert elsewhere.requests == []

    asyncio.run(story())


RUBBISH = [
    b"\x00\xff\x00\xff\r\n\r\n",
    b"HTTP/1.1 9999 What\r\n\r\n",
    b"HTTP/1.1 abc\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    b"",
]


@pytest.mark.parametrize("answer", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_is_a_failure_like_any_other(answer: bytes) -> None:
    async def story() -> None:
        async with serving(answer) as server:
            outcome = await post(f"http://shop.localhost:{server.port}/")
            assert outcome in {NoAnswer.NOT_UNDERSTOOD, NoAnswer.CONNECTION_FAILED}

    asyncio.run(story())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n" + b"a" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\x00",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n\xff\xfe",
    ],
    ids=["endless", "damaged gzip", "damaged chunks", "cookie"],
)
def test_what_stands_in_the_answers_body_is_not_looked_at(answer: bytes) -> None:
    async def story() -> None:
        async with serving(answer) as server:
            url = f"http://shop.localhost:{server.port}/"
            assert await post(url) == Answered(200)

    asyncio.run(story())


def test_an_endpoint_that_never_answers_is_left() -> None:
    async def story() -> None:
        async with serving(None) as server:
            url = f"http://shop.localhost:{server.port}/"
            assert await post(url, timeout_ms=100) == NoAnswer.TIMEOUT

    asyncio.run(story())


def test_a_name_that_is_never_found_is_left() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        del host, port
        await asyncio.Event().wait()
        return ()

    async def story() -> None:
        assert await post("http://shop.localhost/", resolve=never, timeout_ms=50) == (
            NoAnswer.TIMEOUT
        )

    asyncio.run(story())


async def unknown(host: str, port: int) -> Sequence[str]:
    raise OSError(f"{host}:{port} is not known")


@pytest.mark.parametrize("resolve", [unknown, names()], ids=["unknown", "no address"])
def test_a_name_without_an_address_is_a_failed_connection(resolve: Resolve) -> None:
    async def story() -> None:
        outcome = await post("http://shop.localhost/", resolve=resolve)
        assert outcome is NoAnswer.CONNECTION_FAILED

    asyncio.run(story())


def test_a_closed_port_is_a_failed_connection() -> None:
    async def story() -> None:
        async with serving() as server:
            port = server.port
        assert await post(f"http://shop.localhost:{port}/") is NoAnswer.CONNECTION_FAILED

    asyncio.run(story())


def test_the_next_address_is_tried_where_the_first_is_deaf() -> None:
    async def story() -> None:
        async with serving() as server:
            url = f"http://shop.localhost:{server.port}/"
            assert await post(url, resolve=names("127.0.0.9", "127.0.0.1")) == Answered(204)

    asyncio.run(story())


@pytest.mark.parametrize(
    "addresses",
    [
        ("10.0.0.1",),
        ("169.254.169.254",),
        ("127.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1",),
        ("fe80::1%lo",),
    ],
)
def test_no_connection_is_made_where_a_name_leads_inside_a_network(
    addresses: tuple[str, ...],
) -> None:
    async def story() -> None:
        async with serving() as server:
            for scheme in ("http", "https"):
                url = f"{scheme}://shop.example:{server.port}/"
                assert await post(url, resolve=names(*addresses)) is NoAnswer.ADDRESS_NOT_ALLOWED
            assert server.requests == []

    asyncio.run(story())


def test_with_real_money_no_connection_is_made_to_this_machine() -> None:
    async def story() -> None:
        async with serving() as server:
            for scheme in ("http", "https"):
                url = f"{scheme}://shop.example:{server.port}/"
                outcome = await post(url, is_play_money=False)
                assert outcome is NoAnswer.ADDRESS_NOT_ALLOWED
            assert server.requests == []

    asyncio.run(story())


def test_a_name_that_changes_after_the_check_is_not_asked_again() -> None:
    asked = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    async def story() -> None:
        async with serving() as server:
            url = f"http://shop.localhost:{server.port}/"
            assert await post(url, resolve=rebinding) == Answered(204)
            assert asked == [("shop.localhost", server.port)]

    asyncio.run(story())


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def story() -> None:
        async with serving() as server:
            assert await post(f"http://shop.localhost:{server.port}/") == Answered(204)

    asyncio.run(story())


@dataclass(frozen=True)
class Tls:
    """A server's certificate, and who trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "shop.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return Tls(server, ssl.create_default_context(cafile=str(path)))


def quietly(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story; what the server says of a broken handshake is expected."""

    async def listen() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        await story()

    asyncio.run(listen())


def test_tls_is_spoken_under_the_merchants_name_though_an_address_is_connected(tls: Tls) -> None:
    async def story() -> None:
        async with serving(tls=tls.server) as server:
            url = f"https://shop.example:{server.port}/"
            assert await post(url, certificates=tls.client) == Answered(204)
            assert server.asked_for == ["shop.example"]
            assert server.headers()["host"] == f"shop.example:{server.port}"

    asyncio.run(story())


def test_a_certificate_of_another_name_ends_the_attempt_before_anything_is_said(tls: Tls) -> None:
    async def story() -> None:
        async with serving(tls=tls.server) as server:
            url = f"https://other.example:{server.port}/"
            assert await post(url, certificates=tls.client) is NoAnswer.CONNECTION_FAILED
            assert server.requests == []

    quietly(story)


def test_a_certificate_that_nobody_vouches_for_ends_the_attempt(tls: Tls) -> None:
    async def story() -> None:
        async with serving(tls=tls.server) as server:
            url = f"https://shop.example:{server.port}/"
            assert await post(url) is NoAnswer.CONNECTION_FAILED
            assert server.requests == []

    quietly(story)


def test_certificates_named_by_the_environment_are_not_trusted(
    tls: Tls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "shop.pem"))

    async def story() -> None:
        async with serving(tls=tls.server) as server:
            url = f"https://shop.example:{server.port}/"
            assert await post(url) is NoAnswer.CONNECTION_FAILED
            assert server.requests == []

    quietly(story)
