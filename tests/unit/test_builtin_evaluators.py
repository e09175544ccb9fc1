"""The built-in evaluators say what they promise."""

from typing import Any

import pytest
from factories import outcome, scoring_job
from pydantic import ValidationError

from wtb_async.domain.evaluator import EvaluatorChoice
from wtb_async.infrastructure.evaluation.builtin import BUILTIN_EVALUATORS
from wtb_async.infrastructure.evaluation.engine import ProjectEvaluationEngine
from wtb_async.infrastructure.langgraph.projects import ProjectRegistry


def said(name: str, outputs: object, reference: object = None, **arguments: Any) -> Any:  # noqa: ANN401
    """What an evaluator says of these outputs."""
    evaluator: Any = BUILTIN_EVALUATORS[f"wtb.{name}"].model_validate(arguments)
    if name in {"regex", "tokens", "cost"}:
        return evaluator(outputs)
    return evaluator(outputs, reference)


@pytest.mark.parametrize(
    ("outputs", "reference", "matches"),
    [
        ({"answer": "4", "steps": 3}, {"answer": "4"}, True),
        ({"answer": "5"}, {"answer": "4"}, False),
        ({}, {"answer": None}, False),
        ({"answer": "4"}, {}, True),
        ("4", "4", True),
        ("4", {"answer": "4"}, False),
        (None, None, True),
    ],
)
def test_a_match_is_exact_in_every_field_of_the_reference(
    outputs: object, reference: object, matches: bool
) -> None:
    assert said("exact_match", outputs, reference) is matches


DOCUMENTS = {"documents": [{"id": 1, "score": 0.5}, {"id": 2, "score": 0.25}], "at": "noon"}
LATER = {"documents": [{"id": 1, "score": 0.51}, {"id": 2, "score": 0.24}], "at": "night"}


@pytest.mark.parametrize(
    ("reference", "arguments", "matches"),
    [
        (DOCUMENTS, {}, True),
        (LATER, {}, False),
        (LATER, {"ignore": ["at"], "tolerance": 0.02}, True),
        (LATER, {"ignore": ["at"], "tolerance": 0.005}, False),
        (LATER, {"ignore": ["at"], "relative_tolerance": 0.05}, True),
        (LATER, {"ignore": ["at", "documents.*.score"]}, True),
        (LATER, {"ignore": ["at", "documents.0.score"]}, False),
        (LATER, {"only": ["documents.0.id", "documents.1.id"]}, True),
        (LATER, {"only": ["at"]}, False),
        ({"documents": [], "at": "noon"}, {}, False),
        (DOCUMENTS | {"more": 1}, {}, False),
        (DOCUMENTS | {"more": 1}, {"ignore": ["more"]}, True),
        ({"at": "noon"}, {"ignore": ["documents"]}, True),
    ],
)
def test_json_matches_but_for_what_is_ignored(
    reference: object, arguments: dict[str, Any], matches: bool
) -> None:
    assert said("json_match", DOCUMENTS, reference, **arguments) is matches


def test_json_knows_a_bool_from_a_number_and_nothing_from_null() -> None:
    assert said("json_match", {"n": 1}, {"n": 1.0})
    assert not said("json_match", {"n": True}, {"n": 1})
    assert not said("json_match", {"n": 1}, {"n": True})
    assert not said("json_match", {}, {"n": None})


@pytest.mark.parametrize(
    ("outputs", "arguments", "matches"),
    [
        (2.0, {}, True),
        (2.1, {}, False),
        (2.1, {"tolerance": 0.2}, True),
        (2.1, {"relative_tolerance": 0.05}, True),
        ("2", {}, False),
        (True, {"tolerance": 1}, False),
        (None, {}, False),
    ],
)
def test_a_number_matches_within_its_tolerance(
    outputs: object, arguments: dict[str, Any], matches: bool
) -> None:
    assert said("numeric_match", outputs, 2, **arguments) is matches


def test_a_reference_that_is_no_number_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="reference_outputs is no number"):
        said("numeric_match", 2, {"n": 2})


def test_a_text_contains_what_was_given_or_else_the_reference() -> None:
    assert said("contains", "the answer is 4", text="answer")
    assert said("contains", "the answer is 4", "is 4")
    assert not said("contains", "the answer is 4", text="ANSWER")
    assert said("contains", "the answer is 4", text="ANSWER", ignore_case=True)
    with pytest.raises(TypeError, match="outputs is no text; say where it is with `output`"):
        said("contains", {"answer": "4"}, text="4")


def test_a_pattern_is_found_anywhere_unless_it_says_otherwise() -> None:
    assert said("regex", "born 1912-06-23", pattern=r"\d{4}-\d{2}-\d{2}")
    assert not said("regex", "born 1912-06-23", pattern=r"^\d{4}")
    assert said("regex", "Turing", pattern="(?i)turing")


def test_a_pattern_that_never_ends_elsewhere_ends_here() -> None:
    assert not said("regex", "a" * 100_000 + "b", pattern=r"^(a+)+$")


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(", "unclosed group"),
        ("(?=x)", "look-around"),
        (r"(a)\1", "backreferences"),
        ("(a{1000}){1000}", "exceeds size limit"),
        ("a" * 1001, "at most 1000 characters"),
    ],
)
def test_a_pattern_that_cannot_be_searched_for_is_refused(pattern: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        said("regex", "text", pattern=pattern)


def message(read: int, written: int, *, model: str = "small", id_: str | None = None) -> Any:  # noqa: ANN401
    """A message of a model, as a runner stores it."""
    return {
        "type": "ai",
        "id": id_,
        "content": "4",
        "usage_metadata": {
            "input_tokens": read,
            "output_tokens": written,
            "total_tokens": read + written,
            "input_token_details": {"cache_read": read // 2},
        },
        "response_metadata": {"model_name": model},
    }


STATE = {
    "messages": [
        {"type": "human", "content": "2 + 2"},
        message(100, 10, id_="m1"),
        message(200, 20, id_="m2", model="large"),
    ],
    "last": message(200, 20, id_="m2", model="large"),
}


def test_tokens_are_those_of_all_messages_each_counted_once() -> None:
    assert said("tokens", STATE) == 330
    assert said("tokens", STATE, count="input") == 300
    assert said("tokens", STATE, count="output") == 30
    assert said("tokens", [message(1, 1), message(1, 1)]) == 4, "no id, so two messages"


def test_the_cost_is_that_of_each_model_with_what_came_from_its_cache() -> None:
    prices = {
        "small": {"input": 1, "output": 10},
        "*": {"input": 2, "output": 20, "cached_input": 1},
    }
    small, large = 100 * 1 + 10 * 10, 100 * 2 + 100 * 1 + 20 * 20
    assert said("cost", STATE, prices=prices) == pytest.approx((small + large) / 1_000_000)


def test_usage_that_is_not_there_is_no_zero() -> None:
    with pytest.raises(LookupError, match="no message in the outputs has usage_metadata"):
        said("tokens", {"messages": [{"type": "ai", "content": "4", "usage_metadata": None}]})
    with pytest.raises(LookupError, match="there is no price for model 'large'"):
        said("cost", STATE, prices={"small": {"input": 1, "output": 1}})


async def test_what_models_took_goes_to_the_account_of_the_batch() -> None:
    engine = ProjectEvaluationEngine(ProjectRegistry([]))
    prices = {"*": {"input": 1_000_000, "output": 0}}
    cost = EvaluatorChoice(use="wtb.cost", arguments={"prices": prices})
    scored = await engine.score(scoring_job([cost], outcome=outcome(STATE)))
    assert scored.usage is not None
    assert (scored.usage.input_tokens, scored.usage.output_tokens) == (300, 30)
    assert scored.usage.cost == pytest.approx(300)
    assert (await engine.score(scoring_job(["wtb.exact_match"]))).usage is None
