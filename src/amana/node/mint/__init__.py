"""The mint's own origin: the Cashu specifications over HTTP and WebSocket, and nothing else.

No cookie, no session, no address of a caller is read here, and nothing is logged of a request.
"""

from amana.node.mint.app import MintApp, create_mint_app
from amana.node.mint.guard import Guard, OpenGuard
from amana.node.mint.info import AuthInfo, MethodInfo, MintInfo, ProtectedAddress
from amana.node.mint.routes import Fault, Request, Route
from amana.node.mint.serving import serving

__all__ = [
    "AuthInfo",
    "Fault",
    "Guard",
    "MethodInfo",
    "MintApp",
    "MintInfo",
    "OpenGuard",
    "ProtectedAddress",
    "Request",
    "Route",
    "create_mint_app",
    "serving",
]
