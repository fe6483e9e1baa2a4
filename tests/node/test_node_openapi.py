"""Every address of the OpenAPI document, with data made from it and against it.

Method: schemathesis makes requests by the document's schemas, valid and broken. Each is sent with a
valid token and, by turns, ids of things that are there. Whatever it is: no mistake of ours, success
only as documented, and every error in the one shape.
"""

from typing import Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.datastructures import State
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from tests.node.test_node_malformed import check_headers, check_problem
from tests.node.town import Answer, Client, Json, Town, eur, unique

from amana.node.http.app import HANDLERS
from amana.node.http.docs import openapi_of

DOCUMENT: Final[Json] = openapi_of(Litestar(state=State({"handlers": HANDLERS})))
EXAMPLES: Final = 15
EXAMPLES_LONG: Final = 200
ENDLESS: Final = "/v1/events/stream"
CHECKED: Final = {
    f"{operation.method.upper()} {operation.path}": operation
    for result in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if isinstance(result, Ok)
    for operation in [result.ok()]
    if operation.path != ENDLESS
}
MERCHANTS: Final = ("/v1/merchant", "/v1/orders", "/v1/webhooks", "/v1/api-keys")


class Stage:
    """Parties with something of each kind, so that generated requests can reach it."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.shop = town.merchant()
        self.again()

    def again(self) -> None:
        """Make things anew: requests may have used them up."""
        shop = self.shop
        customer = self.customer = self.town.customer(400_000)
        orders = [shop.order(100), shop.order(100, capture="manual"), shop.order(100)]
        paid = [customer.pay_code(o["code"], 100, note_key="A" * 42 + "E") for o in orders[:2]]
        hooks = shop.get("/v1/webhooks").body["items"]
        hook = (
            hooks[0] if hooks else shop.post("/v1/webhooks", {"url": "https://shop.example/"}).body
        )
        self.ids: dict[str, list[str]] = {
            "order_id": [order["id"] for order in orders],
            "payment_id": [answer.body["id"] for answer in paid],
            "webhook_id": [hook["id"]],
            "key_id": ["key_" + "1" * 26],
            "handle": [shop.handle, "@" + customer.handle],
        }

    def client_for(self, path: str) -> Client:
        """Return who may use an address."""
        if path.startswith("/v1/operator"):
            return self.town.staff
        return self.shop if path.startswith(MERCHANTS) else self.customer


@pytest.fixture(scope="module")
def stage(town: Town) -> Stage:
    return Stage(town)


def send(stage: Stage, case: Json, path_parameters: dict[str, str]) -> Answer:
    case.path_parameters = {**(case.path_parameters or {}), **path_parameters}
    made = case.as_transport_kwargs(base_url="http://localhost:8400")
    client = stage.client_for(case.operation.path)
    headers = {
        name: value.encode("utf-8", "replace")
        for name, value in made.get("headers", {}).items()
        if name.lower() not in {"authorization", "content-length", "transfer-encoding", "host"}
    }
    more: dict[str, Json] = {}
    if isinstance(made.get("data"), bytes | str):
        data = made["data"]
        more["content"] = data if isinstance(data, bytes) else data.encode("utf-8", "replace")
    elif "json" in made:
        more["body"] = made["json"]
    return stage.town.ask(
        made["method"], _address(made), token=client.token, headers=headers, **more
    )


def _address(made: Json) -> str:
    import httpx  # noqa: PLC0415 - only its query encoding is needed

    query = httpx.QueryParams(made.get("params") or {})
    return f"{made['url']}?{query}" if query else str(made["url"])


def judge(answer: Answer, case: Json) -> None:
    documented = set(case.operation.definition.raw["responses"])
    assert answer.status < 500, (case.operation.label, answer.content)
    check_headers(answer)
    if answer.status < 300:
        assert str(answer.status) in documented, (answer.status, documented)
    elif answer.content:
        check_problem(answer, answer.slug)


def explore(label: str, stage: Stage, examples: int) -> None:
    operation = CHECKED[label]
    modes = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), deadline=None)
    @given(data=st.data())
    def each(data: st.DataObject) -> None:
        mode = data.draw(modes)
        case = data.draw(operation.as_strategy(generation_mode=mode))
        names = [name for name in (case.path_parameters or {}) if name in stage.ids]
        known = {name: data.draw(st.sampled_from(stage.ids[name])) for name in names}
        judge(send(stage, case, known if data.draw(st.booleans()) else {}), case)

    each()


def test_the_document_names_every_address_but_pages(town: Town) -> None:
    assert town.ask("GET", "/openapi.json").body == DOCUMENT
    assert DOCUMENT["openapi"].startswith("3.1")
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            assert "default" in operation["responses"], (path, method)
            assert operation["description"]


@pytest.mark.parametrize("label", sorted(CHECKED))
def test_what_the_document_lets_one_ask_is_answered_as_documented(label: str, stage: Stage) -> None:
    explore(label, stage, EXAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize("label", sorted(CHECKED))
def test_the_same_at_length(label: str, stage: Stage) -> None:
    stage.again()
    explore(label, stage, EXAMPLES_LONG)


def test_the_examples_of_amounts_are_amounts(town: Town) -> None:
    example = DOCUMENT["components"]["schemas"]["MoneyShape"]["properties"]["minor"]
    customer, shop = town.customer(), town.merchant()
    minor = example.get("examples", ["1250"])[0]
    key = unique("example")
    body = {"payee": shop.handle, "amount": eur(minor)}
    assert customer.post("/v1/payments", body, key).status == 201
