"""Amana: an open mobile-payment network that anybody can run."""

__version__ = "0.1.0"

if not __debug__:  # pragma: no cover - the interpreter's -O is refused, so no test can reach this
    message = "Amana checks its books with assertions and does not run under python -O."
    raise RuntimeError(message)
