#!/usr/bin/env python3
"""Registers a webhook, makes a payment, and verifies the message that arrives.

Needs URL, WALLET and TILL: eval "$(examples/env.sh)". Only Python's own library is used, so that
`verified` may be copied into any receiver.
"""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
import urllib.request
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

TOLERANCE_S = 300


def verified(secret: str, headers: Mapping[str, str], body: bytes, *, now_s: int) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what a message says; raise ValueError unless it is signed with the secret and fresh.

    Args:
        secret: As shown when the webhook was made: `whsec_` and base64.
        headers: The message's headers.
        body: The bytes as they came; parse them only afterwards.
        now_s: Seconds since 1970.
    """
    message_id, sent_s = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(now_s - int(sent_s)) > TOLERANCE_S:
        raise ValueError("the message is too old, or from the future")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{message_id}.{sent_s}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    for signature in headers["webhook-signature"].split():
        version, _, value = signature.partition(",")
        if version == "v1" and hmac.compare_digest(value, wanted):
            return json.loads(body)
    raise ValueError("no signature matches the secret")


def call(method: str, path: str, token: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Call the operator."""
    request = urllib.request.Request(  # noqa: S310 - the demo's own address
        os.environ["URL"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"example-{os.getpid()}-{time.time_ns()}",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the demo's own address
        content = answer.read()
    return json.loads(content) if content else None


class Receiver(BaseHTTPRequestHandler):
    """Takes one message."""

    message: tuple[Mapping[str, str], bytes] | None = None
    has_come = threading.Event()

    def do_POST(self) -> None:
        """Keep the message and say that it came; work is done afterwards."""
        body = self.rfile.read(int(self.headers["content-length"]))
        type(self).message = ({k.lower(): v for k, v in self.headers.items()}, body)
        self.send_response(204)
        self.end_headers()
        self.has_come.set()

    def log_message(self, *_: object) -> None:
        """Say nothing about each request."""


def main() -> None:
    """Register, pay, wait, verify, and take the webhook away again."""
    till, wallet = os.environ["TILL"], os.environ["WALLET"]
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # Outside a demo, webhooks go to https addresses of the public internet only.
    address = f"http://localhost:{server.server_port}/amana"
    webhook = call("POST", "/v1/webhooks", till, {"url": address, "kinds": ["order.paid"]})
    try:
        amount = {"currency": "EUR", "minor": "380"}
        call("POST", "/v1/payments", wallet, {"payee": "corner-bakery", "amount": amount})
        if not Receiver.has_come.wait(timeout=20) or Receiver.message is None:
            raise SystemExit("no message came within 20 seconds")
        headers, body = Receiver.message
        event = verified(webhook["secret"], headers, body, now_s=int(time.time()))
        print("verified:", json.dumps(event))  # noqa: T201 - an example shows what it got
    finally:
        call("DELETE", f"/v1/webhooks/{webhook['id']}", till)


if __name__ == "__main__":
    main()
