"""Formats at the edge, sans I/O: bytes and text in, values out.

No clock, no chance, no floats. Malformed input is a value that lists every fault, never an
exception. Each format has its own front: `emv` (payment codes), `standard_webhooks`, `problems`,
`cursor`, `csv_purchases`.
"""

from amana.wire.faults import Fault, Malformed

__all__ = ["Fault", "Malformed"]
