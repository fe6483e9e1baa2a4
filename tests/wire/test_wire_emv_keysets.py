"""The hash of the list of keysets in payment codes: sixteen bytes, written in one way."""

from base64 import urlsafe_b64encode
from dataclasses import replace

import cemacqr
import pytest
from tests.wire.samples import DYNAMIC, good, sealed

from amana.wire import Malformed
from amana.wire.emv import DataObject, LocalName, MerchantCode, read_code, write_code

HASH = bytes(range(240, 256))
WRITTEN = urlsafe_b64encode(HASH).rstrip(b"=").decode()


def template(value: str = WRITTEN) -> str:
    return f"0014org.amana.keys01{len(value):02}{value}"


def written(code: MerchantCode) -> str:
    text = write_code(code)
    assert isinstance(text, str), text
    return text


def faults_of(text: MerchantCode | str) -> set[str]:
    result = write_code(text) if isinstance(text, MerchantCode) else read_code(text)
    assert isinstance(result, Malformed)
    return {fault.field for fault in result.faults}


def test_a_code_carries_the_hash_beside_everything_else() -> None:
    text = written(replace(DYNAMIC, keysets=HASH))
    assert good(text).code == replace(DYNAMIC, keysets=HASH)
    assert f"9944{template()}" in text
    assert len(text) - len(written(DYNAMIC)) == 48


def test_another_reader_finds_a_code_with_the_hash_valid() -> None:
    theirs = cemacqr.parse_payload(written(replace(DYNAMIC, keysets=HASH)))
    assert cemacqr.validate(theirs).violations == []
    assert theirs.template("99").get("00") == "org.amana.keys"
    assert theirs.template("99").get("01") == WRITTEN


def test_the_hash_is_found_in_any_free_template_and_need_not_be_there() -> None:
    assert good(sealed()).code.keysets is None
    assert good(sealed(t80=template())).code.keysets == HASH
    assert good(sealed(t87=template(), t99="0003new")).code.others == (DataObject("99", "0003new"),)
    assert good(sealed(t79=template())).code.keysets is None, "79 is the EMVCo's own"


def test_the_hash_takes_a_template_that_nobody_has() -> None:
    code = replace(DYNAMIC, keysets=HASH, others=(DataObject("99", "0003new"),))
    assert f"9844{template()}" in written(code)
    full = replace(DYNAMIC, keysets=HASH, names=(LocalName("ar", "n"),) * 21)
    assert "80" in faults_of(full)


@pytest.mark.parametrize(
    "value",
    ["", WRITTEN[:-1], WRITTEN + "A", WRITTEN[:-1] + "x", WRITTEN[:-1] + "=", WRITTEN[:-1] + "ä"],
)
def test_what_is_no_hash_is_refused(value: str) -> None:
    assert faults_of(sealed(t85=template(value))) == {"85.01"}


def test_a_template_of_ours_without_a_hash_is_refused() -> None:
    assert faults_of(sealed(t85="0014org.amana.keys")) == {"85.01"}


def test_two_hashes_are_refused() -> None:
    assert faults_of(sealed(t85=template(), t86=template())) == {"86"}


@pytest.mark.parametrize("count", [0, 15, 17])
def test_a_hash_of_another_length_is_not_written(count: int) -> None:
    assert "99.01" in faults_of(replace(DYNAMIC, keysets=bytes(count)))
