"""Base64 and CBOR as strangers send them: bounded, one reading each, ValueError for the rest."""

import base64
import io
import re
from typing import Any, Final

import cbor2

_DEPTH_MAX: Final = 8
"""A token nests five deep: object, groups, group, proofs, proof, DLEQ proof."""

_BASE64: Final = re.compile(r"([A-Za-z0-9+/_-]*)={0,2}", re.ASCII)
_STANDARD: Final = str.maketrans("-_", "+/")

# Tags turn plain data into dates, fractions, shared and recursive values. No format here has one,
# and some cost more to build than to send.
_TAGS: Final = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 100, 256, 258, 260, 261, 1004)
_TAGS_OF_FORM: Final = (43_000, 55_799)


def read_base64(text: str) -> bytes:
    """Read base64 in either alphabet, with or without padding."""
    match = _BASE64.fullmatch(text)
    if match is None:
        raise ValueError("no base64")
    plain = match[1].translate(_STANDARD)
    return base64.b64decode(plain + "=" * (-len(plain) % 4))


def write_base64(data: bytes, *, has_padding: bool) -> str:
    """Write base64 in the alphabet for addresses."""
    text = base64.urlsafe_b64encode(data).decode("ascii")
    return text if has_padding else text.rstrip("=")


def read_cbor(data: bytes) -> Any:  # noqa: ANN401 - what strangers sent is anything
    """Read one CBOR value that takes all of the data; no tags, no field twice."""
    source = io.BytesIO(data)
    decoder = cbor2.CBORDecoder(
        source,
        tag_hook=_refuse,
        semantic_decoders=dict.fromkeys((*_TAGS, *_TAGS_OF_FORM), _refuse),
        max_depth=_DEPTH_MAX,
        allow_duplicate_keys=False,
        strict_hashable_types=True,
    )
    try:
        value = decoder.decode()
    except cbor2.CBORDecodeError as error:
        raise ValueError("no CBOR") from error
    if source.tell() != len(data):
        raise ValueError("more than one value")
    return value


def write_cbor(value: object) -> bytes:
    """Write CBOR: definite lengths, shortest numbers, fields in the order given."""
    return bytes(cbor2.dumps(value))


def is_absent(value: object) -> bool:
    """Tell whether a field says nothing; some wallets write `undefined` for what they leave out."""
    return value is None or value is cbor2.undefined


def _refuse(*_: object) -> None:
    raise ValueError("a tag")
