"""The test mint: an invoice's look-alike, and walls between it and what serves people."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from coincurve import PrivateKey, PublicKey
from hypothesis import given
from hypothesis import strategies as st
from tests.architecture.sources import PACKAGE, ROOT, texts
from tests.node.mint_world import MintTown, meeting, shown, spent

from amana.purse.model import Code
from amana.storage import lock_folder
from amana.testing.mint import __main__ as command
from amana.testing.mint import invoices
from amana.testing.mint.invoices import Invoice, preimage_of, read_invoice, write_invoice

KEY: Final = PrivateKey(b"\x07" * 32)
SECRET: Final = b"\x05" * 32
HASH: Final = hashlib.sha256(preimage_of(SECRET)).digest()
AT_S: Final = 1_795_000_000
LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

# The first example of BOLT 11 that has an amount (CC-BY 4.0): 2,500 µBTC for a cup of coffee.
COFFEE: Final = (
    "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqf"
    "qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vd"
    "x85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh"
)
COFFEE_HASH: Final = "0001020304050607080900010203040506070809000102030405060708090102"


_LOADED: Final = """
import sys, amana.node.server, amana.node.mint.operators
print([name for name in sys.modules if name.startswith("amana.testing")])
"""


def written(amount_msat: int, description: str = "") -> str:
    return write_invoice(
        amount_msat, payment_secret=SECRET, key=KEY, description=description, at_s=AT_S
    )


def test_a_published_invoice_is_read() -> None:
    assert read_invoice(COFFEE) == Invoice(250_000_000, bytes.fromhex(COFFEE_HASH), b"\x11" * 32)
    assert read_invoice(f"LIGHTNING:{COFFEE.upper()}") == read_invoice(COFFEE)


@given(st.integers(1, 2**50), st.text(max_size=100))
def test_an_invoice_says_what_it_was_written_with(amount_msat: int, description: str) -> None:
    assert read_invoice(written(amount_msat, description)) == Invoice(amount_msat, HASH, SECRET)


@given(st.integers(0, 10_000), st.integers(1, 31))
def test_an_invoice_with_a_wrong_letter_is_none(place: int, change: int) -> None:
    text = written(21_000)
    start = text.rindex("1") + 1
    place = start + place % (len(text) - start)
    wrong = LETTERS[LETTERS.index(text[place]) ^ change]
    assert read_invoice(text[:place] + wrong + text[place + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "1", "lnbc1", "lnxx" + COFFEE[4:], COFFEE[:60], "é" * 300, "lnbc" + "1" * 20_000]
)
def test_what_is_no_invoice_is_none(text: str) -> None:
    assert read_invoice(text) is None


def test_an_invoice_is_signed_by_the_key_of_its_node() -> None:
    text = written(1_337_000)
    assert text.startswith("lnbc13370n1")
    words = [LETTERS.index(letter) for letter in text[text.rindex("1") + 1 :]]
    bits = "".join(f"{word:05b}" for word in words[:-110])
    signed = int(bits + "0" * (-len(bits) % 8), 2).to_bytes((len(bits) + 7) // 8)
    signature_bits = "".join(f"{word:05b}" for word in words[-110:-6])
    signature = int(signature_bits, 2).to_bytes(65)
    signer = PublicKey.from_signature_and_message(signature, b"lnbc13370n" + signed)
    assert signer == KEY.public_key


def test_an_invoice_without_an_amount_is_paid_as_asked_and_once(tmp_path: Path) -> None:
    async def talk(town: MintTown) -> None:
        words = read_invoice(COFFEE)
        assert words is not None
        open_invoice = written_without_amount()
        asked = {"unit": "sat", "request": open_invoice}
        refused = await town.post("/v1/melt/quote/bolt11", asked)
        assert refused.json["code"] == Code.AMOUNTLESS_INVOICE
        options = {"options": {"amountless": {"amount_msat": 6_001}}}
        quotes = [
            (await town.post("/v1/melt/quote/bolt11", asked | options)).json for _ in range(2)
        ]
        assert quotes[0]["amount"] == 7, "rounded up to a whole unit"
        answers = []
        for quote in quotes:
            body = {"quote": quote["quote"], "inputs": spent(await town.issued(16))}
            body["outputs"] = shown(town.wallet.outputs(7))
            answers.append(await town.post("/v1/melt/bolt11", body))
        assert answers[0].json["state"] == "PAID"
        assert answers[1].json["code"] == Code.ALREADY_PAID, "under whatever quote"
        differs = {"unit": "sat", "request": COFFEE} | options
        answer = await town.post("/v1/melt/quote/bolt11", differs)
        assert answer.json["code"] == Code.AMOUNT_DIFFERS

    with meeting(tmp_path) as meet:
        meet(talk)


def written_without_amount() -> str:
    """Write an invoice whose amount is left to whoever pays, out of one that has one."""
    words = [LETTERS.index(letter) for letter in COFFEE[COFFEE.rindex("1") + 1 : -6]]
    words += invoices._check("lnbc", words)
    return "lnbc1" + "".join(LETTERS[word] for word in words)


def test_other_units_are_exchanged_at_one_rate(tmp_path: Path) -> None:
    async def talk(town: MintTown) -> None:
        asked = {"unit": "eur", "amount": 1_234}
        invoice = (await town.post("/v1/mint/quote/bolt11", asked)).json["request"]
        quotes = {
            unit: (
                await town.post("/v1/melt/quote/bolt11", {"unit": unit, "request": invoice})
            ).json
            for unit in ("eur", "sat")
        }
        assert quotes["eur"]["amount"] == 1_234
        assert quotes["sat"]["amount"] == 12_340

    with meeting(tmp_path) as meet:
        meet(talk)


def test_a_mint_opened_again_knows_what_was_spent(tmp_path: Path) -> None:
    body: dict[str, object] = {}

    async def spend(town: MintTown) -> None:
        body["inputs"] = spent(await town.issued(4))
        outputs = shown(town.wallet.outputs(4))
        assert (await town.post("/v1/swap", body | {"outputs": outputs})).status == 200

    async def spend_again(town: MintTown) -> None:
        town.chance.draw(1_000)
        outputs = shown(town.wallet.outputs(4))
        answer = await town.post("/v1/swap", body | {"outputs": outputs})
        assert answer.json["code"] == Code.ALREADY_SPENT

    for talk in (spend, spend_again):
        with meeting(tmp_path) as meet:
            meet(talk)


@pytest.mark.parametrize(
    "options",
    [
        ["--units", "SAT"],
        ["--units", "sat,"],
        ["--units", "auth"],
        ["--units", "a" * 17],
        ["--input-fee-ppk", "-1"],
        ["--input-fee-ppk", "x"],
        [],
    ],
)
def test_the_command_refuses_what_it_cannot_serve(
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = ["--data", str(tmp_path / "mint")] if options else []
    monkeypatch.setattr(sys, "argv", ["mint", *data, *options])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2
    assert "usage: python -m amana.testing.mint" in capsys.readouterr().err
    assert not (tmp_path / "mint").exists()


def test_the_command_says_that_a_folder_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["mint", "--data", str(tmp_path), "--port", "0"])
    with lock_folder(tmp_path), pytest.raises(SystemExit) as ended:
        command.main()
    assert "Another Amana process" in str(ended.value.code)


def test_what_serves_people_neither_loads_nor_names_the_look_alike() -> None:
    loaded = subprocess.run(
        [
            *(sys.executable, "-c", _LOADED),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert loaded.stdout.strip() == "[]"
    named = [
        str(path.relative_to(ROOT))
        for path, text in texts()
        if PACKAGE in path.parents and "testing" not in path.parts and path.suffix == ".py"
        if "testing.mint" in text or "Bolt11" in text
    ]
    assert not named, named
