"""What evaluators say of executions: claims on those without scores, and the scores."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.batches.scoring import (
    Column,
    Outcome,
    ScoredCase,
    ScoredExecution,
    ScoringJob,
    SummaryJob,
    SummaryScore,
)
from wtb_async.domain.batch_test import ScoringMode
from wtb_async.domain.evaluator import EvaluatorChoice, EvaluatorKind
from wtb_async.infrastructure.postgres import scoring_statements as statements
from wtb_async.infrastructure.postgres import tables
from wtb_async.infrastructure.postgres.json_text import to_json_text

_JSON = tables.executions.c.output.type

_BATCH_TYPES = {"evaluators": _JSON, "baseline": _JSON}
_OUTCOME_TYPES = {"output": _JSON, "error": _JSON}
_CASE_TYPES = {"inputs": _JSON, "reference": _JSON, "metadata": _JSON, "combination": _JSON}


class PostgresScoreRepository:
    """Statements on evaluation results and on the executions that they belong to."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def score_again(self, batch_id: UUID, mode: ScoringMode) -> None:
        """Let ended executions be claimed again; the claims on them are void."""
        # Each is a statement of its own: it sees what was recorded while the one before waited.
        for statement in statements.SCORE_AGAIN[mode]:
            await self._session.execute(text(statement), {"batch_id": batch_id})

    async def claim(self, batch_id: UUID, limit: int, claim_seconds: float) -> list[ScoringJob]:
        """Take ended executions of the batch that some evaluator has not seen yet, for a while."""
        found = await self._session.execute(
            text(statements.EVALUATORS).columns(**_BATCH_TYPES),
            {"batch_id": batch_id},
        )
        if (batch := found.mappings().one_or_none()) is None:
            return []
        choices = [EvaluatorChoice.from_stored(stored) for stored in batch["evaluators"]]
        rows = await self._session.execute(
            text(statements.CLAIM).columns(baseline=_JSON, **_OUTCOME_TYPES, **_CASE_TYPES),
            {
                "batch_id": batch_id,
                "limit": limit,
                "claim_seconds": claim_seconds,
                "baseline": to_json_text(batch["baseline"]),
                "compares": any(choice.kind is EvaluatorKind.PAIRWISE for choice in choices),
            },
        )
        return [_job(row, choices, batch["project"]) for row in rows.mappings()]

    async def extend_claims(
        self, claims: Sequence[tuple[UUID, datetime]], claim_seconds: float
    ) -> datetime:
        """Keep executions that were claimed until a time for longer; answers their new end."""
        ids, untils = zip(*claims, strict=True)
        extended = await self._session.execute(
            text(statements.EXTEND_CLAIMS),
            {"ids": list(ids), "untils": list(untils), "claim_seconds": claim_seconds},
        )
        until: datetime = extended.scalar_one()
        return until

    async def record(self, scored: Sequence[tuple[ScoredExecution, datetime]]) -> None:
        """Keep evaluators' results, once per execution and key, and mark the executions scored."""
        if any(item.baseline_id for item, _ in scored):
            scored = await self._standing(scored)
        connection = await self._session.connection()
        parameters = (*_execution_columns(scored), *_score_columns(scored))
        await connection.exec_driver_sql(statements.RECORD_SCORES, parameters)

    async def _standing(
        self, scored: Sequence[tuple[ScoredExecution, datetime]]
    ) -> list[tuple[ScoredExecution, datetime]]:
        """Those that were compared with nothing, or with an outcome that still stands."""
        pairs = [(item.baseline_id, item.baseline_version) for item, _ in scored]
        ids, versions = zip(*{pair for pair in pairs if pair[0]}, strict=True)
        found = await self._session.execute(
            text(statements.STANDING_BASELINES), {"ids": list(ids), "versions": list(versions)}
        )
        standing = {(None, None), *(tuple(row) for row in found)}
        return [each for each, pair in zip(scored, pairs, strict=True) if pair in standing]

    async def summary_job(self, batch_id: UUID) -> SummaryJob | None:
        """The columns of a running batch that only its summary evaluators have to see yet."""
        found = await self._session.execute(
            text(statements.UNSUMMARIZED).columns(**_BATCH_TYPES),
            {"batch_id": batch_id},
        )
        if (batch := found.mappings().one_or_none()) is None:
            return None
        rows = await self._session.execute(
            text(statements.COLUMNS).columns(**_OUTCOME_TYPES, **_CASE_TYPES),
            {"batch_id": batch_id, "baseline": to_json_text(batch["baseline"])},
        )
        choices = [EvaluatorChoice.from_stored(stored) for stored in batch["evaluators"]]
        return SummaryJob(
            read_at=batch["read_at"],
            columns=_by_combination(rows.mappings().all()),
            evaluators=tuple(c for c in choices if c.kind is EvaluatorKind.SUMMARY),
            project=batch["project"],
        )

    async def record_summaries(
        self, batch_id: UUID, read_at: datetime, summaries: Sequence[SummaryScore]
    ) -> None:
        """Keep what summary evaluators said of the columns as they were read then."""
        said = [{"combination": each.combination, **asdict(each.score)} for each in summaries]
        await self._session.execute(
            text(statements.RECORD_SUMMARIES),
            {"batch_id": batch_id, "read_at": read_at, "summaries": to_json_text(said)},
        )


def _job(row: RowMapping, choices: Sequence[EvaluatorChoice], project: str) -> ScoringJob:
    return ScoringJob(
        outcome=_outcome(row),
        case=_case(row),
        combination=row["combination"],
        repetition=row["repetition"],
        baseline=_outcome_from_json(row["baseline"]) if row["baseline"] else None,
        evaluators=tuple(
            choice
            for choice in choices
            if choice.kind is not EvaluatorKind.SUMMARY and choice.name not in row["seen_by"]
        ),
        project=project,
        claimed_until=row["claimed_until"],
    )


def _outcome(row: RowMapping) -> Outcome:
    return Outcome(
        execution_id=row["id"],
        version=row["version"],
        status=row["status"],
        outputs=row["output"],
        error=row["error"],
        duration_ms=row["duration_ms"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )


def _outcome_from_json(fields: dict[str, Any]) -> Outcome:
    times = {
        name: datetime.fromisoformat(fields[name]) if fields[name] else None
        for name in ("started_at", "finished_at")
    }
    return Outcome(
        execution_id=UUID(fields["id"]),
        version=fields["version"],
        status=fields["status"],
        outputs=fields["output"],
        error=fields["error"],
        duration_ms=fields["duration_ms"],
        **times,
    )


def _case(row: RowMapping) -> ScoredCase:
    return ScoredCase(
        key=row["key"],
        inputs=row["inputs"],
        reference_outputs=row["reference"],
        metadata=row["metadata"],
    )


def _by_combination(rows: Sequence[RowMapping]) -> tuple[Column, ...]:
    def combination(row: RowMapping) -> list[tuple[str, str]]:
        return sorted(row["combination"].items())

    # Sorting keeps the order of the cases within each combination.
    return tuple(
        Column(combination=dict(key), rows=tuple((_outcome(row), _case(row)) for row in group))
        for key, group in groupby(sorted(rows, key=combination), key=combination)
    )


def _execution_columns(
    scored: Sequence[tuple[ScoredExecution, datetime]],
) -> tuple[list[Any], ...]:
    usages = [item.usage for item, _ in scored]
    return (
        [item.execution_id for item, _ in scored],
        [item.version for item, _ in scored],
        [until for _, until in scored],
        [item.baseline_id for item, _ in scored],
        [usage.input_tokens if usage else None for usage in usages],
        [usage.output_tokens if usage else None for usage in usages],
        [usage.cost if usage else None for usage in usages],
    )


def _score_columns(scored: Sequence[tuple[ScoredExecution, datetime]]) -> tuple[list[Any], ...]:
    said = [(item.execution_id, until, score) for item, until in scored for score in item.scores]
    scores = [score for _, _, score in said]
    return (
        [execution_id for execution_id, _, _ in said],
        [until for _, until, _ in said],
        [score.key for score in scores],
        [score.evaluator for score in scores],
        [_score_text(score.score) for score in scores],
        [score.comment for score in scores],
        [score.error for score in scores],
        [score.lower_is_better for score in scores],
        [score.baseline_first for score in scores],
    )


def _score_text(score: bool | float | None) -> str | None:
    match score:
        case None:
            return None
        case bool():
            return "true" if score else "false"
        case _:
            return repr(float(score))
