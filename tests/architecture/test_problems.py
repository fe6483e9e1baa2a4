"""Every refusal has one problem, every problem one page, and no slug two meanings."""

import re

from tests.architecture.sources import ROOT

from amana.node.problems import DETAILS, PROBLEMS
from amana.payments.model import Reason

SLUG = re.compile(r"[a-z]+(?:-[a-z]+)*")
PAGE = ROOT / "docs" / "reference" / "problems.md"


def test_every_refusal_of_a_payment_is_a_problem() -> None:
    assert not {reason.value for reason in Reason} - set(PROBLEMS)


def test_slugs_are_plain_words() -> None:
    assert all(SLUG.fullmatch(slug) for slug in PROBLEMS)


def test_titles_are_unique() -> None:
    titles = [title for _, title in PROBLEMS.values()]
    assert len(titles) == len(set(titles))


def test_every_status_is_an_error() -> None:
    assert all(400 <= status < 600 for status, _ in PROBLEMS.values())


def test_details_belong_to_problems() -> None:
    assert set(DETAILS) <= set(PROBLEMS)


def test_every_problem_is_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [slug for slug in PROBLEMS if f"\n## {slug}\n" not in page] == []
