"""Load: some connections, each sending ready requests one after another.

What is sent is bytes made beforehand, and of an answer only status and length are read, so that the
generator takes as little as possible of the processors it shares with the server.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

_OK = 200


@dataclass
class Sample:
    """What one stretch of load measured."""

    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    first_refusal: bytes = b""
    bodies: list[bytes] | None = None
    """What was answered, where it is asked for."""

    @property
    def rate(self) -> float:
        """Requests a second that were answered 200."""
        return self.statuses[_OK] / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Return a latency in milliseconds."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

    def add(self, other: "Sample") -> None:
        """Take another stretch in."""
        self.seconds += other.seconds
        self.latencies_ms += other.latencies_ms
        self.statuses += other.statuses
        self.first_refusal = self.first_refusal or other.first_refusal

    def view(self) -> dict[str, Any]:
        """Return the figures; a refusal's own words where there was one."""
        refused = sum(n for status, n in self.statuses.items() if status != _OK)
        told = {"first_refusal": self.first_refusal.decode(errors="replace")} if refused else {}
        return {
            "per_s": round(self.rate, 1),
            "p50_ms": round(self.percentile(0.50), 1),
            "p99_ms": round(self.percentile(0.99), 1),
            "answered": self.statuses[_OK],
            "refused": refused,
            **told,
        }


def post(url: str, path: str, body: bytes, *, token: str | None = None) -> bytes:
    """Return a whole request, with a blind token if one is given."""
    shown = "" if token is None else f"Blind-auth: {token}\r\n"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n{shown}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Connection(asyncio.Protocol):
    """One keep-alive connection: send, wait for the answer, send the next."""

    def __init__(self, requests: Iterator[bytes], sample: Sample, until: float) -> None:
        self._requests = requests
        self._sample = sample
        self._until = until
        self._received = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take an answer, and go on while there is time."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        now = time.perf_counter()
        status = int(head[9:12])
        self._received = b""
        self._sample.statuses[status] += 1
        self._sample.latencies_ms.append((now - self._sent_at) * 1_000)
        if self._sample.bodies is not None:
            self._sample.bodies.append(body)
        if status != _OK and not self._sample.first_refusal:
            self._sample.first_refusal = body
        if now < self._until:
            self._send()
        else:
            assert self._transport is not None
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        """End."""
        if not self.done.done():
            self.done.set_result(None)


def load(
    url: str,
    requests: Iterator[bytes],
    *,
    connections: int,
    seconds: float,
    keeps_bodies: bool = False,
) -> Sample:
    """Keep the connections busy until the time or the requests are over."""
    sample = Sample(bodies=[] if keeps_bodies else None)
    uvloop.run(_load(url, requests, sample, connections=connections, seconds=seconds))
    return sample


async def _load(
    url: str, requests: Iterator[bytes], sample: Sample, *, connections: int, seconds: float
) -> None:
    loop = asyncio.get_running_loop()
    port = urlsplit(url).port
    assert port is not None
    started = time.perf_counter()
    made = []
    for _ in range(connections):
        _, connection = await loop.create_connection(
            lambda: _Connection(requests, sample, started + seconds), "127.0.0.1", port
        )
        made.append(connection)
    await asyncio.gather(*(connection.done for connection in made))
    sample.seconds = time.perf_counter() - started
