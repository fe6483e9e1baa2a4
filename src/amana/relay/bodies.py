"""The little of HTTP that relay and gateway share."""

from typing import Any, Final, NamedTuple

_HEADERS: Final = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    # Wallets are pages of any origin, and nothing here goes by cookies.
    (b"access-control-allow-origin", b"*"),
]


class Answer(NamedTuple):
    """An answer; without a body where the status says all there is to say."""

    status: int
    media_type: str | None = None
    body: bytes = b""
    more: tuple[tuple[bytes, bytes], ...] = ()


async def answer_with(send: Any, answer: Answer) -> None:  # noqa: ANN401 - ASGI's own types
    """Send an answer."""
    headers = [*_HEADERS, *answer.more, (b"content-length", b"%d" % len(answer.body))]
    if answer.media_type is not None:
        headers.append((b"content-type", answer.media_type.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def header(scope: Any, name: bytes) -> bytes | None:  # noqa: ANN401 - ASGI's own types
    """Return a header's value."""
    for each, value in scope["headers"]:
        if each == name:
            found: bytes = value
            return found
    return None


async def read_body(scope: Any, receive: Any, bytes_max: int) -> bytes | None:  # noqa: ANN401 - ASGI's own types
    """Read the body; None where it is too long, or the caller went away."""
    length = header(scope, b"content-length")
    if length is not None and (len(length) > len(str(bytes_max)) or int(length) > bytes_max):
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > bytes_max:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)
