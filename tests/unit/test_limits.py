"""Limits bound every execution, also where the caller says nothing."""

import dataclasses

import pytest
from pydantic import ValidationError

from api.routes.limits import BatchLimitsBody, LimitsBody
from wtb_async.domain.execution import Limits


def test_limits_that_nobody_set_still_bound_loops_and_attempts() -> None:
    assert Limits() == Limits(timeout_seconds=None, recursion_limit=100, max_attempts=3)


def test_a_caller_who_sets_no_limit_gets_those_of_the_domain() -> None:
    assert LimitsBody().to_domain() == Limits()


def test_limits_survive_the_way_through_the_database() -> None:
    limits = Limits(timeout_seconds=1.5, recursion_limit=7, max_attempts=1)
    assert Limits(**dataclasses.asdict(limits)) == limits


@pytest.mark.parametrize(
    "body",
    [
        {"timeout_seconds": 0},
        {"timeout_seconds": 1e9},
        {"recursion_limit": 0},
        {"recursion_limit": 10_001},
        {"max_attempts": 0},
        {"max_attempts": 21},
        {"memory": 1},
    ],
)
def test_limits_beyond_reason_are_refused(body: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(body))):
        LimitsBody.model_validate(body)


@pytest.mark.parametrize(
    "body", [{"max_concurrency": 0}, {"max_failures": -1}, {"max_concurrency": 1.5}]
)
def test_limits_of_a_batch_beyond_reason_are_refused(body: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(body))):
        BatchLimitsBody.model_validate(body)


def test_a_batch_may_fail_and_run_as_much_as_it_likes_unless_somebody_limits_it() -> None:
    limits = BatchLimitsBody()
    assert (limits.max_concurrency, limits.max_failures) == (None, None)
    assert limits.to_domain() == Limits()


def test_a_single_execution_has_no_limits_of_a_batch() -> None:
    with pytest.raises(ValidationError, match="max_failures"):
        LimitsBody.model_validate({"max_failures": 1})
