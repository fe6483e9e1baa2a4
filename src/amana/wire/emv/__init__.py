"""Payment codes: the EMVCo merchant-presented QR code, and codes that belong to others.

`write_code` and `read_code` are exact about the EMVCo format; `recognise` is what a wallet asks
about any text it scanned. Lengths count characters, the checksum counts UTF-8 bytes.

Source: EMV QR Code Specification for Payment Systems, merchant-presented mode, version 1.1.
"""

from amana.wire.emv._model import (
    CODE_CHARACTERS_MAX,
    CONSUMER_MUST_ENTER,
    GLOBAL_ID,
    AdditionalData,
    AmanaAccount,
    Initiation,
    LocalName,
    MerchantCode,
    NoTip,
    ReadCode,
    SchemeAccount,
    Tip,
    TipFixed,
    TipPercent,
    TipPrompt,
)
from amana.wire.emv._read import read_code
from amana.wire.emv._recognise import ForeignCode, recognise
from amana.wire.emv._tlv import DataObject, read_objects, seal, write_objects
from amana.wire.emv._write import fitted, write_code

__all__ = [
    "CODE_CHARACTERS_MAX",
    "CONSUMER_MUST_ENTER",
    "GLOBAL_ID",
    "AdditionalData",
    "AmanaAccount",
    "DataObject",
    "ForeignCode",
    "Initiation",
    "LocalName",
    "MerchantCode",
    "NoTip",
    "ReadCode",
    "SchemeAccount",
    "Tip",
    "TipFixed",
    "TipPercent",
    "TipPrompt",
    "fitted",
    "read_code",
    "read_objects",
    "recognise",
    "seal",
    "write_code",
    "write_objects",
]
