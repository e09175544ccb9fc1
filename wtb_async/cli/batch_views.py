"""Batch tests and their results as text."""

import json
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from wtb_async.cli.console import print_fields
from wtb_async.cli.execution_views import duration, moment
from wtb_async.domain.comparison import combination_label
from wtb_async.sdk.batch_models import BatchCounts, BatchTest, NodeExecutions, ResultRow


def print_batches(console: Console, batches: Iterable[BatchTest]) -> None:
    """Print one row per batch test."""
    table = Table("id", "name", "workflow", "status", "done", "failed", "created")
    table.columns[0].no_wrap = True
    for batch in batches:
        counts = batch.counts
        table.add_row(
            str(batch.id),
            batch.name,
            batch.workflow,
            batch.status.value,
            f"{counts.ended} of {counts.total}",
            str(counts.failed),
            moment(batch.created_at),
        )
    console.print(table)


def print_batch(console: Console, batch: BatchTest) -> None:
    """Print what a reader of one batch test asks for."""
    counts = batch.counts
    fields = {
        "batch test": str(batch.id),
        "name": batch.name,
        "workflow": batch.workflow,
        "status": _status(batch),
        "error": batch.error.message if batch.error else "",
        "executions": f"{counts.ended} of {counts.total} done, {counts.failed} failed, "
        f"{counts.running} running, {counts.pending} pending{_rare(counts)}",
        "combinations": str(len(batch.combinations)),
        "repetitions": str(batch.repetitions),
        "nodes": _node_executions(batch.node_executions),
        "baseline": combination_label(batch.baseline),
        "dataset": f"{batch.dataset_id}, version {batch.dataset_version}"
        if batch.dataset_id
        else "",
        "models took": _cost(batch),
        "created": moment(batch.created_at),
        "took": duration(batch.started_at, batch.finished_at),
    }
    print_fields(console, fields)


def _status(batch: BatchTest) -> str:
    return f"{batch.status}, soon {batch.becomes}" if batch.becomes else batch.status.value


def _rare(counts: BatchCounts) -> str:
    """What only commands bring about."""
    numbers = {"paused": counts.paused, "cancelled": counts.cancelled}
    return "".join(f", {number} {name}" for name, number in numbers.items() if number)


def print_results(console: Console, rows: Sequence[ResultRow]) -> None:
    """Print one row per execution, with a column per score."""
    keys = list(dict.fromkeys(key for row in rows for key in row.scores))
    table = Table("combination", "case", "rep", "status", *keys, "ms", "error")
    for row in rows:
        table.add_row(
            combination_label(row.combination),
            row.test_case_id,
            str(row.repetition),
            row.status.value,
            *(_score(row.scores.get(key)) for key in keys),
            "" if row.duration_ms is None else f"{row.duration_ms:.1f}",
            row.error.message if row.error else "",
        )
    console.print(table)


def _node_executions(nodes: NodeExecutions | None) -> str:
    if nodes is None:
        return ""
    saved = f", {nodes.saved} saved ({nodes.saved_ms / 1000:.1f} s)" if nodes.saved else ""
    return f"{nodes.run} executions{saved}"


def _cost(batch: BatchTest) -> str:
    if batch.cost is None:
        return ""
    cost = batch.cost
    tokens = f"{cost.total_tokens:,} tokens ({cost.output_tokens:,} of them written)"
    return tokens if cost.money is None else f"{tokens}, which cost {cost.money:,.4g}"


def _score(score: float | bool | None) -> str:
    if score is None:
        return ""
    return json.dumps(score) if isinstance(score, bool) else f"{score:.3g}"
