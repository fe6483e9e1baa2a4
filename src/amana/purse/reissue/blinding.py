"""The point that a secret and its blinding factor give, on the curve of today's keysets."""

from amana.purse.curve import SECP256K1, add_points, hash_to_curve


def blind(secret: bytes, factor: bytes) -> bytes | None:
    """Return B_ = Y + r·G, compressed; None where r is no scalar or cancels Y out (NUT-00)."""
    if not SECP256K1.is_scalar(factor):
        return None
    return add_points(hash_to_curve(secret), SECP256K1.key(factor).public)
