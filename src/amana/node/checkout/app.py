"""The checkout's application: two pages, their files, and what they ask.

What names an order or a link stands after `#` in the page's address and goes to the server in a
body: no address that is sent tells which order somebody looks at. Nothing is read of who asks.
"""

import sqlite3
from typing import Any, Final

from litestar import Litestar, Response, get
from litestar.datastructures import ResponseHeader, State
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from amana.kernel import Unavailable
from amana.kernel.limits import REQUEST_BODY_BYTES_MAX
from amana.node.checkout.links import ORDERS_A_MINUTE, post_link_look, post_link_order
from amana.node.checkout.orders import get_place, post_order_look
from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.http.headers import API_HEADERS
from amana.node.http.pages import Pages
from amana.node.http.rates import Rates
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised

_PAGE: Final = "checkout.html"


@get(["/", "/o", "/l"], include_in_schema=False)
async def get_checkout_page(request: Asked) -> Response[bytes]:
    """Answer with the page of an order or a link, or of neither: the same for all."""
    return _pages(request).answer(request, _PAGE)


@get(["/assets/{name:path}", "/icons/{name:path}"], include_in_schema=False)
async def get_checkout_file(request: Asked, name: FromPath[str]) -> Response[bytes]:
    """Answer with a file that the page loads."""
    del name
    return _pages(request).answer(request, request.url.path.lstrip("/"))


def _pages(request: Asked) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


HANDLERS: Final[list[Any]] = [
    get_checkout_page,
    get_checkout_file,
    get_place,
    post_order_look,
    post_link_look,
    post_link_order,
]


def create_checkout_app(operator: Operator) -> Litestar:
    """Make the application of an operator's checkout."""
    return Litestar(
        route_handlers=HANDLERS,
        state=State({"operator": operator, "pages": Pages(), "link_rates": Rates(ORDERS_A_MINUTE)}),
        before_request=edge.check_media_type,
        exception_handlers={
            ProblemRaised: edge.answer_problem,
            Unavailable: edge.answer_unavailable,
            sqlite3.OperationalError: edge.answer_unreadable,
            HTTPException: edge.answer_http_error,
            RecursionError: edge.answer_too_deep,
            UnicodeDecodeError: edge.answer_not_text,
            Exception: edge.answer_mistake,
        },
        response_headers=[
            ResponseHeader(name=name, value=value) for name, value in API_HEADERS.items()
        ],
        request_max_body_size=REQUEST_BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
    )
