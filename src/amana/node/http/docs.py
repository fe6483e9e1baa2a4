"""The reference served by the operator itself: OpenAPI, its readable form, the problems' pages."""

from html import escape
from typing import Any, Final

import msgspec
from litestar import Litestar, Response, get
from litestar.openapi import OpenAPIConfig
from litestar.params import FromPath

from amana import __version__
from amana.node.http.answers import ANSWERS, SCHEMAS, describe
from amana.node.http.edge import Asked
from amana.node.problems import DETAILS, PROBLEMS, ProblemRaised

_KEYED: Final = frozenset(
    {
        ("/v1/payments", "post"),
        ("/v1/orders", "post"),
        ("/v1/orders/{order_id}/capture", "post"),
        ("/v1/orders/{order_id}/cancel", "post"),
        ("/v1/orders/{order_id}/refunds", "post"),
        ("/v1/links", "post"),
        ("/v1/operator/topups", "post"),
    }
)
_OPEN: Final = (
    "/health",
    "/v1/fees",
    "/v1/liabilities",
    "/v1/relay-key",
    "/v1/sign-up",
    "/v1/sign-in",
    "/v1/merchants/",
    "/openapi.json",
)
_KEY_PARAMETER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Made by the caller; the same key with the same body gives the stored answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
}
_PROBLEM_SCHEMA: Final = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "payment_id": {"type": "string"},
        "retry_with_same_id": {"type": "boolean"},
        "scheme": {"type": ["string", "null"]},
    },
}
_PROBLEM: Final = {
    "description": "A problem document (RFC 9457); its pages are at /docs/problems.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}

_schemas: dict[int, bytes] = {}


def openapi_of(app: Litestar) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, with what handlers read from headers written in."""
    config = OpenAPIConfig(title="Amana", version=__version__, use_handler_docstrings=True)
    described = Litestar(route_handlers=app.state.handlers, openapi_config=config)
    document: dict[str, Any] = described.openapi_schema.to_schema()
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update({**SCHEMAS, "Problem": _PROBLEM_SCHEMA})
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            operation["responses"].pop("400", None)
            describe(path, method, operation)
            operation["responses"]["default"] = _PROBLEM
            if (path, method) in _KEYED:
                operation.setdefault("parameters", []).append(_KEY_PARAMETER)
            if not path.startswith(_OPEN):
                operation["security"] = [{"token": []}]
    return document


@get("/openapi.json", include_in_schema=False)
async def get_openapi(request: Asked) -> Response[bytes]:
    """Answer with the OpenAPI document."""
    text = _schemas.get(id(request.app))
    if text is None:
        text = _schemas[id(request.app)] = msgspec.json.encode(openapi_of(request.app))
    return Response(text, media_type="application/vnd.oai.openapi+json")


_STYLE: Final = """
:root{color-scheme:light dark;font:1rem/1.6 system-ui,sans-serif}
body{max-width:52rem;margin:2rem auto;padding:0 1rem}
code,pre{font:0.9rem/1.5 ui-monospace,monospace}
pre{overflow:auto;padding:1rem;border:1px solid;border-radius:.5rem}
h2{margin-top:2.5rem}table{border-collapse:collapse;width:100%}
td,th{text-align:start;padding:.35rem .75rem .35rem 0;vertical-align:top;border-bottom:1px solid}
"""


@get("/docs/style.css", include_in_schema=False)
async def get_docs_style() -> Response[str]:
    """Answer with the reference's style."""
    return Response(_STYLE, media_type="text/css")


def _page(title: str, body: str) -> Response[str]:
    return Response(
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width">'
        f"<title>{escape(title)}</title><link rel=stylesheet href=/docs/style.css>"
        f"<main><h1>{escape(title)}</h1>{body}</main></html>",
        media_type="text/html",
    )


@get("/docs", include_in_schema=False)
async def get_docs(request: Asked) -> Response[str]:
    """Answer with every address of the API, readable."""
    parts = [
        (
            "<p>JSON over HTTP. Amounts are minor units as a string of digits and their currency. "
            "The machine-readable form is <a href=/openapi.json>openapi.json</a>; "
            "errors are <a href=/docs/problems>problem documents</a>.</p>"
        )
    ]
    document = openapi_of(request.app)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and "responses" in operation:
                parts.append(_operation(path, method, operation))
    shapes = document["components"]["schemas"]
    parts += [_shape(name, shape) for name, shape in shapes.items() if "properties" in shape]
    return _page("Amana's API", "".join(parts))


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(p['name'])}</code><td>{escape(p['in'])}"
        f"<td>{escape(p.get('description', ''))}"
        for p in operation.get("parameters", [])
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    reference = body.get("schema", {}).get("$ref", "")
    told = escape(operation.get("description") or operation.get("summary", ""))
    table = f"<table>{rows}</table>" if rows else ""
    shape = f"<p>Body: {_link(reference)}</p>" if reference else ""
    name = ANSWERS.get(f"{method.upper()} {path}")
    answer = f"<p>Answer: {_link(name)}</p>" if name else ""
    return (
        f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{told}</p>{table}{shape}{answer}"
    )


def _link(reference: str) -> str:
    name = escape(reference.rpartition("/")[2])
    return f"<a href=#{name}><code>{name}</code></a>"


def _shape(name: str, schema: dict[str, Any]) -> str:
    text = escape(msgspec.json.format(msgspec.json.encode(schema["properties"])).decode())
    return f"<h2 id={escape(name)}><code>{escape(name)}</code></h2><pre>{text}</pre>"


@get("/docs/problems", include_in_schema=False)
async def get_problems() -> Response[str]:
    """Answer with the table of every problem."""
    rows = "".join(
        f"<tr><td><a href=/docs/problems/{slug}><code>{slug}</code></a><td>{status}"
        f"<td>{escape(title)}"
        for slug, (status, title) in PROBLEMS.items()
    )
    return _page("Problems", f"<table><tr><th>type<th>status<th>title{rows}</table>")


@get("/docs/problems/{slug:str}", include_in_schema=False)
async def get_problem(slug: FromPath[str]) -> Response[str]:
    """Answer with the page of one problem: where a problem's `type` leads."""
    if slug not in PROBLEMS:
        raise ProblemRaised("not-found")
    status, title = PROBLEMS[slug]
    told = DETAILS.get(slug, "The request changed nothing that its answer does not name.")
    return _page(title, f"<p><code>{slug}</code>, status {status}.</p><p>{escape(told)}</p>")
