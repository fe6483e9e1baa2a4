"""What the operator owes to holders of e-cash: published daily, to everybody, without a token."""

from typing import Final

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised
from amana.node.views import View
from amana.purse.liabilities import StatementRows, date_of, read_date


def _rows(operator: Operator) -> StatementRows:
    return StatementRows(operator.read_connection)


@get("/v1/liabilities")
async def get_liabilities(request: Asked) -> View:
    """Return the newest statement of what is owed to holders of e-cash, and which days have one."""
    rows = _rows(edge.operator_of(request))
    last = rows.last()
    return {
        "days": [date_of(day) for day in rows.days()],
        "newest": None if last is None else msgspec.json.decode(last[1]),
    }


@get("/v1/liabilities/{day:str}")
async def get_liabilities_of(request: Asked, day: FromPath[str]) -> Response[bytes]:
    """Return the statement of a day (YYYY-MM-DD, UTC) in the bytes it was published in."""
    number = read_date(day)
    found = None if number is None else _rows(edge.operator_of(request)).statement(number)
    if found is None:
        raise ProblemRaised("not-found", "There is no statement of this day.")
    return Response(found, media_type="application/json")


HANDLERS: Final = [get_liabilities, get_liabilities_of]
