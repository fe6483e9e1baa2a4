"""Problem documents: members present only where they say something."""

import json

import pytest

from amana.wire import Fault, Malformed
from amana.wire.problems import CONTENT_TYPE, Problem, SchemeMember

PAGE = "https://pay.example/docs/problems/"


def test_a_bare_problem_has_three_members() -> None:
    problem = Problem(PAGE + "not-found", "Not found", 404)
    assert problem.to_json() == (
        b'{"type":"https://pay.example/docs/problems/not-found","title":"Not found","status":404}'
    )
    assert CONTENT_TYPE == "application/problem+json"


def test_every_extension_is_written_where_it_says_something() -> None:
    problem = Problem(
        PAGE + "outcome-unknown",
        "Outcome unknown",
        503,
        detail="Ask again with the same key.",
        errors=(Fault("amount.minor", "Not a string of digits."),),
        payment_id="pay_1",
        retry_with_same_id=True,
        scheme=SchemeMember("Pix"),
    )
    assert json.loads(problem.to_json()) == {
        "type": PAGE + "outcome-unknown",
        "title": "Outcome unknown",
        "status": 503,
        "detail": "Ask again with the same key.",
        "errors": [{"field": "amount.minor", "message": "Not a string of digits."}],
        "payment_id": "pay_1",
        "retry_with_same_id": True,
        "scheme": "Pix",
    }


def test_an_unknown_scheme_is_null_and_not_left_out() -> None:
    problem = Problem(PAGE + "code-not-ours", "Not ours", 422, scheme=SchemeMember(None))
    assert json.loads(problem.to_json())["scheme"] is None


def test_text_in_any_script_is_written_as_it_is() -> None:
    assert "مخبز".encode() in Problem(PAGE, "مخبز", 400).to_json()


def test_half_a_surrogate_pair_does_not_break_the_document() -> None:
    problem = Problem(PAGE, "Malformed", 400, errors=(Fault("\ud800", "Unknown field."),))
    assert json.loads(problem.to_json())["errors"][0]["field"] == "?"


def test_a_problem_without_an_errors_status_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="error's status"):
        Problem(PAGE, "Fine", 200)


def test_malformed_input_without_a_fault_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="at least one fault"):
        Malformed(())
