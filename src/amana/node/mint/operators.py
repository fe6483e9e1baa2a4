"""An operator's mint at its own origin: which ways in and out it tells of, and who may use them."""

from amana.node.mint.app import MintApp, create_mint_app
from amana.node.mint.auth import auth_info, auth_routes
from amana.node.mint.info import MethodInfo, MintInfo
from amana.node.mint.orders import order_routes
from amana.node.mint.people import people_routes
from amana.node.mint.reissue import reissue_routes
from amana.node.operator import Operator
from amana.people.openid import CLIENT_ID, OpenId
from amana.purse.auth import MintGuard
from amana.purse.methods import account, merchant, refund

_DISCOVERY: str = "/.well-known/openid-configuration"


def create_operator_mint(operator: Operator, openid: OpenId) -> MintApp:
    """Make the application of an operator's mint.

    Args:
        operator: The operator, with its purse.
        openid: Who reads clear tokens.
    """
    purse, settings = operator.purse, operator.settings
    guard = MintGuard(
        auth=purse.auth, clear=openid, clock=operator.clock, asks_blind=settings.blind_tokens
    )
    info = MintInfo(
        name=settings.name,
        description="E-cash of this operator: the mint signs it without seeing it.",
        urls=(settings.mint_url,),
        issue=(MethodInfo(refund.METHOD, purse.unit),),
        redeem=(
            MethodInfo(merchant.METHOD, purse.unit),
            MethodInfo(account.METHOD, purse.unit),
        ),
        auth=auth_info(
            openid_discovery=settings.url + _DISCOVERY,
            client_id=CLIENT_ID,
            allowance=purse.auth.allowance,
            asks_blind=settings.blind_tokens,
        ),
    )
    paying = order_routes(
        purse.mint,
        purse.store,
        purse.signatory,
        unit=purse.unit,
        find=operator.payments_read.order,
        clock=operator.clock,
    )
    more = [*auth_routes(purse.auth), *people_routes(operator), *paying]
    if purse.reissue is not None:
        more += reissue_routes(purse.reissue)
    return create_mint_app(purse.mint, info, guard=guard, clock=operator.clock, more=more)
