"""The HTTP application: every address, every error's shape, every header."""

import sqlite3
from typing import Any, Final

from litestar import Litestar
from litestar.datastructures import ResponseHeader, State
from litestar.exceptions import HTTPException

from amana.kernel import Unavailable
from amana.kernel.limits import REQUEST_BODY_BYTES_MAX
from amana.node.http import (
    api_keys,
    customers,
    docs,
    edge,
    feeds,
    liabilities,
    links,
    merchants,
    openid,
    opening,
    operators,
    pages,
    purse,
    relaying,
    staff,
    webhooks,
)
from amana.node.http.headers import headers_with_mint
from amana.node.http.hot import HotPayments
from amana.node.http.pages import Pages
from amana.node.http.rates import Callers, Rates
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised

HANDLERS: Final[list[Any]] = [
    opening.get_health,
    opening.get_fees,
    opening.post_sign_up_options,
    opening.post_sign_up,
    opening.post_sign_in_options,
    opening.post_sign_in,
    opening.post_sign_out,
    customers.get_account,
    customers.put_note_key,
    customers.get_payee,
    customers.post_code,
    customers.post_payment,
    customers.get_payment,
    customers.get_payments,
    merchants.get_merchant,
    merchants.post_order,
    merchants.get_order,
    merchants.get_orders,
    merchants.post_capture,
    merchants.post_cancel,
    merchants.post_refund,
    merchants.put_receipt_note,
    merchants.get_receipt_key,
    feeds.get_events,
    feeds.get_stream,
    operators.get_books,
    operators.post_customer,
    operators.post_close,
    operators.post_erase,
    operators.post_merchant,
    operators.post_merchant_key,
    operators.post_topup,
    *webhooks.HANDLERS,
    *api_keys.HANDLERS,
    *staff.HANDLERS,
    *openid.HANDLERS,
    *purse.HANDLERS,
    *liabilities.HANDLERS,
    relaying.get_relay_key,
    *links.HANDLERS,
    docs.get_openapi,
    docs.get_docs,
    docs.get_problems,
    docs.get_problem,
    docs.get_docs_style,
    pages.get_page,
    pages.get_asset,
    pages.get_root_file,
]


def _page_headers(operator: Operator) -> dict[str, str]:
    return headers_with_mint(operator.settings.mint_url, operator.settings.relay_url)


def create_app(operator: Operator) -> HotPayments:
    """Make the application that serves an operator that was started."""
    return HotPayments(create_framework_app(operator))


def create_framework_app(operator: Operator) -> Litestar:
    """Make the application with every address, all of them answered by the framework."""
    return Litestar(
        route_handlers=HANDLERS,
        state=State(
            {
                "operator": operator,
                "pages": Pages(),
                "callers": Callers(),
                "handlers": HANDLERS,
                "openid": openid.make_openid(operator),
                "openid_callers": Callers(),
                "openid_guesses": Rates(openid.DEVICE_ANSWERS_A_MINUTE),
            }
        ),
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
            ResponseHeader(name=name, value=value)
            # Pages and their files say themselves how long they may be kept.
            for name, value in _page_headers(operator).items()
        ],
        request_max_body_size=REQUEST_BODY_BYTES_MAX,
        # The document is made apart (see docs.py): the framework would add addresses of its own.
        openapi_config=None,
        logging_config=None,
    )
