"""Headers on every answer: nothing is loaded from elsewhere, nothing is told elsewhere."""

from typing import Final

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self'; media-src 'self' blob:; "
        "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}

API_HEADERS: Final = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
"""On every answer that says nothing else about keeping."""


def headers_with_mint(mint_url: str, relay_url: str = "") -> dict[str, str]:
    """Return the headers of a page whose purse speaks to the mint's own origin, or through a relay.

    Args:
        mint_url: The mint's origin.
        relay_url: The relay's, where there is one.
    """
    policy = API_HEADERS["Content-Security-Policy"]
    origins = f"connect-src 'self' {mint_url} {relay_url}".rstrip()
    allowed = policy.replace("connect-src 'self'", origins)
    return {**API_HEADERS, "Content-Security-Policy": allowed}
