"""The checkout of a town, asked as a browser asks it."""

from typing import Any

import httpx
from tests.node.town import Answer, Client, Json, Town, eur

from amana.node.checkout import create_checkout_app


class Checkout:
    """The checkout of a town, asked as a browser asks it."""

    def __init__(self, town: Town) -> None:
        self.town = town
        app: Any = create_checkout_app(town.operator)
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://pay.localhost:8402",
        )

    async def send(self, path: str, body: Json) -> Answer:
        told = await self._http.post(path, json=body)
        return Answer(told.status_code, told.headers, told.content)

    def look(self, order: str) -> Answer:
        return self.town.run(self.send("/v1/look/order", {"order": order}))

    def link(self, url: str) -> Answer:
        return self.town.run(self.send("/v1/look/link", {"link": url.partition("#")[2]}))

    def begin(self, url: str, minor: int | None = None) -> Answer:
        amount = {} if minor is None else {"amount": eur(minor)}
        body = {"link": url.partition("#")[2], **amount}
        return self.town.run(self.send("/v1/look/link/order", body))

    def get(self, path: str) -> Answer:
        told = self.town.run(self._http.get(path))
        return Answer(told.status_code, told.headers, told.content)


def make_link(shop: Client, **more: Json) -> Json:
    made = shop.post("/v1/links", more)
    assert made.status == 201, made.content
    return made.body
