"""Codes and words of refusals, held as a whole against the published table."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from amana.purse.model import Code
from amana.purse.rules.refusals import NO_QUOTE, WORDS

TABLE: Final = Path(__file__).parents[1] / "vectors" / "nuts" / "error-codes.json"
SOURCES: Final = Path(__file__).parents[2] / "src" / "amana"
ROWS: Final[dict[int, dict[str, Any]]] = {
    row["code"]: row for row in json.loads(TABLE.read_text(encoding="utf-8"))["codes"]
}
BATCHES: Final = {11016, 11017}
"""Codes of NUT-29, which this mint has not."""
ONE_MEANING: Final = {
    *(Code.ALREADY_SPENT, Code.PROOFS_PENDING, Code.ALREADY_SIGNED),
    *(Code.DUPLICATE_INPUTS, Code.DUPLICATE_OUTPUTS, Code.AMOUNT_DIFFERS),
    *(Code.KEYSET_UNKNOWN, Code.KEYSET_INACTIVE, Code.KEYSET_EXPIRED),
    *(Code.QUOTE_NOT_PAID, Code.ALREADY_ISSUED),
    *(Code.CLEAR_AUTH_MISSING, Code.CLEAR_AUTH_FAILED, Code.BLIND_AUTH_MISSING),
}
"""Codes with which a place has nothing more to say."""


def test_the_mint_has_every_code_of_the_specifications_and_none_of_its_own() -> None:
    assert {*Code} == ROWS.keys() - BATCHES | {Code.UNNAMED}


@pytest.mark.parametrize("code", WORDS, ids=lambda code: code.name)
def test_a_codes_words_are_the_published_ones(code: Code) -> None:
    row = ROWS[code]
    assert WORDS[code] == row.get("reference", row["specification"])


def test_a_quote_that_is_not_there_has_the_code_of_what_has_none() -> None:
    assert (NO_QUOTE.code, NO_QUOTE.detail) == (0, "quote not found")


def refusals() -> Iterator[tuple[str, Code]]:
    """Every place that makes a refusal with words of its own."""
    for path in sorted((*SOURCES.glob("purse/**/*.py"), *SOURCES.glob("node/mint/*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Name("Refusal"), [ast.Attribute(ast.Name("Code"), name), *_]):
                    yield f"{path.relative_to(SOURCES)}:{node.lineno}", Code[name]
                case _:
                    pass


def test_a_code_that_says_it_all_has_the_same_words_everywhere() -> None:
    places = list(refusals())
    assert len(places) > 40, "the places are found"
    assert WORDS.keys() >= ONE_MEANING
    assert [place for place, code in places if code in ONE_MEANING] == []
