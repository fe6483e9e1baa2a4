"""Every command in the documents prints what the documents say."""

from pathlib import Path

import pytest
from tests.docs.conftest import Demo
from tests.docs.transcripts import Shell, Step, is_as_expected, steps_of

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if any(steps_of(page))
)
OURS = "make "
"""Commands that set up, start or test everything; the tests run within them."""


def test_the_readme_holds_commands() -> None:
    assert "README.md" in PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_page_prints_what_it_says(page: str, fresh_shell: Shell) -> None:
    wrong = []
    for step in steps_of(ROOT / page):
        if step.command.startswith(OURS):
            continue
        status, printed = fresh_shell.run(step.command)
        if status or not is_as_expected(step.expected, printed):
            wrong.append(f"$ {step.command}\nthe page says:\n{step.expected}\nprinted:\n{printed}")
    assert not wrong, "\n".join(wrong)


def test_the_demo_prints_what_the_readme_says(demo: Demo) -> None:
    said = [step for step in steps_of(ROOT / "README.md") if step.command == "make demo"]
    assert len(said) == 1
    assert is_as_expected(said[0].expected, demo.printed), demo.printed


def test_the_makefile_has_every_target_that_a_page_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {
        step.command.split()[1]
        for page in PAGES
        for step in steps_of(ROOT / page)
        if step.command.startswith(OURS)
    }
    assert "demo" in named
    assert [name for name in named if f"\n{name}:" not in makefile] == []


@pytest.mark.parametrize("script", sorted(path.name for path in (ROOT / "examples").glob("*.sh")))
def test_an_example_runs(script: str, shell: Shell) -> None:
    shell.run('eval "$(examples/env.sh)"')
    status, printed = shell.run(f"examples/{script}")
    assert not status, printed


@pytest.mark.parametrize(
    ("expected", "printed", "answer"),
    [
        ("paid", "paid\n", True),
        ("paid", "paid twice", False),
        ('{"id":"pay_…","status":"paid"}', '{"id":"pay_01","status":"paid"}', True),
        ('{"id":"pay_…","status":"paid"}', '{"id":"pay_01","status":"refused"}', False),
        ("a\n…\nd", "a\nb\nc\nd", True),
        ("", "something", False),
    ],
)
def test_a_transcript_says_what_was_printed(expected: str, printed: str, *, answer: bool) -> None:
    assert is_as_expected(expected, printed) is answer


def test_a_command_may_take_several_lines(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo a \\\n    b\na b\n$ true\n```\n", encoding="utf-8")
    assert list(steps_of(page)) == [Step("echo a \\\n    b", "a b"), Step("true", "")]
