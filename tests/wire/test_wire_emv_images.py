"""A drawn code, read by an independent image reader, gives the same text."""

import shutil
import subprocess
from pathlib import Path

import pytest
import segno
from tests.wire.samples import DYNAMIC, PLAIN, VECTORS

from amana.wire.emv import MerchantCode, write_code

ZBARIMG = shutil.which("zbarimg")

pytestmark = pytest.mark.skipif(
    ZBARIMG is None, reason="NOT RUN: zbarimg is not installed (Debian: zbar-tools)"
)


def scanned(text: str, folder: Path, *options: str) -> str:
    picture = folder / "code.png"
    segno.make(text, error="m", encoding="utf-8").save(str(picture), scale=6, border=4)
    assert ZBARIMG is not None
    reading = subprocess.run(
        [ZBARIMG, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", *options, str(picture)],
        capture_output=True,
        check=True,
        timeout=30,
    )
    return reading.stdout.decode("utf-8").removesuffix("\n")


@pytest.mark.parametrize("code", [PLAIN, DYNAMIC], ids=["arabic", "arabic-and-chinese"])
def test_our_drawn_codes_are_scanned_unchanged(code: MerchantCode, tmp_path: Path) -> None:
    text = write_code(code)
    assert isinstance(text, str)
    assert scanned(text, tmp_path) == text


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_published_codes_drawn_by_us_are_scanned_unchanged(
    vector: dict[str, str], tmp_path: Path
) -> None:
    # The bytes are compared: left to guess, this reader takes some UTF-8 for Shift JIS.
    assert scanned(vector["text"], tmp_path, "-Sbinary") == vector["text"]
