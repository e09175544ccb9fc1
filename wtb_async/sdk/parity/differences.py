"""Finds every difference between two observations of one batch test."""

from collections.abc import Iterator, Mapping

from wtb_async.domain.json import JsonValue
from wtb_async.sdk.parity.observation import Observation, ObservedRow
from wtb_async.sdk.parity.report import Discrepancy, DiscrepancyKind, RowKey
from wtb_async.sdk.parity.tolerance import Tolerance

_MISSING = "(missing)"
_PRESENT = "(present)"

Difference = tuple[str, JsonValue, JsonValue]
"""Path, value on the first bench, value on the second."""


def discrepancies_between(
    first: Observation, second: Observation, tolerance: Tolerance
) -> tuple[Discrepancy, ...]:
    """Compare row by row; a row that only one bench has is one discrepancy."""
    found: list[Discrepancy] = []
    for key in sorted(first.keys() | second.keys()):
        one, other = first.get(key), second.get(key)
        if one is None or other is None:
            shown = (_PRESENT if one else _MISSING, _PRESENT if other else _MISSING)
            found.append(Discrepancy(DiscrepancyKind.MISSING_ROW, key, "row", *shown))
        else:
            found += _discrepancies_of(key, one, other, tolerance)
    return tuple(found)


def _discrepancies_of(
    key: RowKey, one: ObservedRow, other: ObservedRow, tolerance: Tolerance
) -> Iterator[Discrepancy]:
    kinds = DiscrepancyKind
    compared: list[tuple[DiscrepancyKind, str, JsonValue, JsonValue]] = [
        (kinds.STATUS, "status", one.status, other.status),
        (kinds.ERROR, "error", dict(one.error), dict(other.error)),
        (kinds.OUTPUT, "output", one.output, other.output),
        (kinds.SCORE, "scores", dict(one.scores), dict(other.scores)),
        (kinds.NODE_EXECUTIONS, "nodes", dict(one.node_executions), dict(other.node_executions)),
        (kinds.EVENTS, "events", one.events, other.events),
    ]
    for kind, path, left, right in compared:
        for difference in differences(path, left, right, tolerance):
            yield Discrepancy(kind, key, *difference)
    if not tolerance.are_alike_in_time(one.duration_ms, other.duration_ms):
        yield Discrepancy(kinds.DURATION, key, "duration_ms", one.duration_ms, other.duration_ms)


def differences(
    path: str, first: JsonValue, second: JsonValue, tolerance: Tolerance
) -> Iterator[Difference]:
    """Every difference between two JSON values, by its path from the root."""
    if tolerance.ignores(path):
        return
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        yield from _between_parts(path, first, second, tolerance)
    elif isinstance(first, list) and isinstance(second, list):
        yield from _between_parts(path, _by_place(first), _by_place(second), tolerance)
    elif not tolerance.are_alike(first, second):
        yield path, first, second


def _by_place(items: list[JsonValue]) -> dict[str, JsonValue]:
    return {str(place): item for place, item in enumerate(items)}


def _between_parts(
    path: str,
    first: Mapping[str, JsonValue],
    second: Mapping[str, JsonValue],
    tolerance: Tolerance,
) -> Iterator[Difference]:
    for part in dict.fromkeys([*first, *second]):
        below = f"{path}.{part}"
        if part in first and part in second:
            yield from differences(below, first[part], second[part], tolerance)
        elif not tolerance.ignores(below):
            yield below, first.get(part, _MISSING), second.get(part, _MISSING)
