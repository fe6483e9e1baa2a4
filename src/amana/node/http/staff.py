"""A merchant's staff: who may use the till, and how far."""

from typing import Any, Final

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from amana.kernel import IdKind, format_id
from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.http.operators import people_problem
from amana.node.problems import ProblemRaised
from amana.node.shapes import StaffBody
from amana.node.views import View
from amana.people import MerchantRole, Principal, PrincipalKind, Refused, Scope, Staff

_ALL: Final = frozenset(Scope)


def _owner(request: Asked) -> Principal:
    """Return the merchant who asks, with a token that may do everything."""
    principal = edge.asker(request, PrincipalKind.MERCHANT)
    if principal.scopes != _ALL or principal.role is MerchantRole.CASHIER:
        raise ProblemRaised("not-allowed", "Staff is looked after with a token of every scope.")
    return principal


def _view(staff: Staff) -> View:
    return {
        "id": format_id(IdKind.STAFF, staff.staff),
        "name": staff.name,
        "role": staff.role.value,
    }


@post("/v1/staff", status_code=201)
async def post_staff(request: Asked, data: JSONBody[StaffBody]) -> View:
    """Add a member of staff; the token for the till is shown this once."""
    principal, operator = _owner(request), edge.operator_of(request)
    added = await operator.people.add_staff(principal.party, data.name, MerchantRole(data.role))
    if isinstance(added, Refused):
        raise people_problem(added)
    issued = await operator.people.issue_staff_session(added.staff)
    assert not isinstance(issued, Refused), "a member of staff just added can sign in"
    return {**_view(added), "token": issued.text}


@get("/v1/staff")
async def get_staff(request: Asked) -> View:
    """Return the merchant's staff, in the order of their making."""
    principal, operator = _owner(request), edge.operator_of(request)
    staff = operator.people.staff_of(principal.party)
    return {"items": [_view(member) for member in staff], "next": None}


@delete("/v1/staff/{staff_id:str}", status_code=204)
async def delete_staff(request: Asked, staff_id: FromPath[str]) -> None:
    """Remove a member of staff, whose tokens end at once."""
    principal, operator = _owner(request), edge.operator_of(request)
    staff = edge.path_id(IdKind.STAFF, staff_id)
    refused = await operator.people.remove_staff(staff, merchant=principal.party)
    if refused is not None:
        raise people_problem(refused)


HANDLERS: Final[list[Any]] = [post_staff, get_staff, delete_staff]
