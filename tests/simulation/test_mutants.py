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
