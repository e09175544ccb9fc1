"""The executions of a batch test with what evaluators said of them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Select, func, select, text, type_coerce
from sqlalchemy.sql.selectable import LateralFromClause

from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.graph_choice import WORKFLOW_KEY
from wtb_async.domain.workflow import BASE_VARIANT
from wtb_async.infrastructure.postgres.tables import (
    batch_tests,
    evaluation_results,
    executions,
    test_cases,
)


@dataclass(frozen=True, kw_only=True)
class ResultFilter:
    """Which executions of a batch test are wanted; None is all of them."""

    status: ExecutionStatus | None = None
    test_case: str | None = None
    """The caller's own id of the case."""

    def applied_to(self, query: Select[Any]) -> Select[Any]:
        """Leave out what is not wanted."""
        if self.status is not None:
            query = query.where(executions.c.status == self.status)
        if self.test_case is not None:
            query = query.where(test_cases.c.key == self.test_case)
        return query


ALL_RESULTS = ResultFilter()


def result_rows(batch_id: UUID, *, with_output: bool = True) -> Select[Any]:
    """Every execution of a batch test with its scores, and which of them are better when low."""
    scores = _scores_of_an_execution()
    output = [executions.c.output] if with_output else []
    return (
        select(
            executions.c.id.label("execution_id"),
            _combination(batch_id).label("combination"),
            test_cases.c.key.label("test_case_id"),
            executions.c.repetition,
            executions.c.status,
            *output,
            executions.c.error,
            *scores.c,
            executions.c.scored_at,
            executions.c.duration_ms,
        )
        .join(test_cases, test_cases.c.id == executions.c.test_case_id)
        .join(scores, text("true"))
        .where(executions.c.batch_test_id == batch_id)
    )


def _combination(batch_id: UUID) -> ColumnElement[Any]:
    """An execution's choice with the names that all combinations of its batch have by now."""
    names = func.jsonb_object_keys(batch_tests.c.baseline).table_valued("name")
    all_base = (
        select(func.jsonb_object_agg(names.c.name, BASE_VARIANT))
        .select_from(batch_tests.join(names, text("true")))
        .where(batch_tests.c.id == batch_id)
        .scalar_subquery()
    )
    graph = func.jsonb_strip_nulls(
        func.jsonb_build_object(WORKFLOW_KEY, executions.c.workflow_variant)
    )
    chosen = func.coalesce(all_base, text("'{}'::jsonb")).op("||")(executions.c.variants)
    return type_coerce(chosen.op("||")(graph), executions.c.variants.type)


def _scores_of_an_execution() -> LateralFromClause:
    """Everything that evaluators said of it, by key."""
    said = evaluation_results.c
    is_single = said.baseline_first.is_(None)

    def by_key(value: Column[Any], *conditions: ColumnElement[bool]) -> ColumnElement[Any]:
        found = func.jsonb_object_agg(said.key, value).filter(value.is_not(None), *conditions)
        return func.coalesce(found, text("'{}'::jsonb"))

    lower = func.array_agg(said.key).filter(said.lower_is_better)
    return (
        select(
            by_key(said.score, is_single).label("scores"),
            by_key(said.score, ~is_single).label("preferences"),
            by_key(said.comment).label("score_comments"),
            by_key(said.error).label("score_errors"),
            func.coalesce(lower, text("'{}'::text[]")).label("lower_is_better"),
        )
        .where(said.execution_id == executions.c.id)
        .lateral("scored")
    )
