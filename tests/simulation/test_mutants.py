"""If the simulator stops catching a wrong part, it is the simulator that is broken."""

import msgspec
import pytest

from amana.testing.mutants import MUTANTS, Mutant, catch
from amana.testing.simulator import Form, run_world

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_wrong_part_is_caught_and_the_right_one_passes(mutant: Mutant) -> None:
    caught = catch(mutant)
    assert caught is not None, f"nobody noticed that {mutant.wrong}"
    assert not run_world(caught.seed, form=mutant.form).violations


@pytest.mark.parametrize(
    ("name", "form", "first_seed"),
    [
        ("spent-looked-up", Form.SHARED, 0),
        ("spent-looked-up", Form.SEPARATE, 0),
        ("change-again", Form.SHARED, 0),
        ("change-again", Form.SEPARATE, 560),
        ("paid-and-returned", Form.SHARED, 0),
        ("paid-and-returned", Form.SEPARATE, 0),
        ("posts-what-is-held", Form.SHARED, 0),
        ("posts-what-is-held", Form.SEPARATE, 0),
    ],
    ids=lambda value: value.name if isinstance(value, Form) else str(value),
)
def test_a_wrong_purse_is_caught_whether_or_not_the_ledger_shares_its_commits(
    name: str, form: Form, first_seed: int
) -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    caught = catch(msgspec.structs.replace(mutant, form=form), first_seed)
    assert caught is not None, f"nobody noticed that {mutant.wrong}"
    assert caught.form is form
    assert not run_world(caught.seed, form=form).violations


def test_the_audit_of_the_file_notices_wrong_books_too() -> None:
    twice = next(mutant for mutant in MUTANTS if mutant.name == "event-by-every-attempt")
    caught = catch(msgspec.structs.replace(twice, form=Form.SQLITE))
    assert caught is not None
    assert any(violation.rule.startswith("audit: ") for violation in caught.violations)


def test_mutants_differ() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 30


def test_a_world_with_a_wrong_part_says_what_was_broken() -> None:
    fee = next(mutant for mutant in MUTANTS if mutant.name == "fee-rounded-up")
    lines: list[str] = []
    caught = catch(fee)
    assert caught is not None
    run_world(caught.seed, parts=fee.parts, trace=lines.append)
    assert any(line.startswith("VIOLATION fee:") for line in lines)
