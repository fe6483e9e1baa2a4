"""The checkout's own origin: where people pay online, without a session, a cookie or a name."""

from amana.node.checkout.app import create_checkout_app

__all__ = ["create_checkout_app"]
