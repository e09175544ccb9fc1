"""Takes test cases into a dataset: all of them, or none."""

import asyncio
from collections.abc import Iterator
from itertools import islice

from wtb_async.application.datasets.recording import asked, record_changes
from wtb_async.application.datasets.views import CaseChangesView, view_of_changes
from wtb_async.application.ports import Nudges, UnitOfWork, UnitOfWorkFactory
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.dataset import BadRow, Dataset, ImportMode, IncomingCase
from wtb_async.domain.errors import InvalidInput, Violation

Rows = Iterator[IncomingCase | BadRow]

MAX_PROBLEMS = 100
"""Reading ends when so many were found."""

_CHUNK = 1000


async def import_cases(
    dataset: str,
    rows: Rows,
    mode: ImportMode,
    caller: str,
    *,
    uow_factory: UnitOfWorkFactory,
    nudges: Nudges,
) -> CaseChangesView:
    """Make a version of the dataset that has these cases.

    Other changes of the dataset wait meanwhile. `rows` is read in a thread, a chunk at a time, and
    only as many rows as that are held.

    Raises:
        NotFound: no such dataset.
        InvalidInput: rows that are no test cases, ids that come twice or are taken, or nothing.
    """
    async with uow_factory() as uow:
        found = await uow.datasets.get(dataset, for_update=True)
        command = asked(CommandKind.IMPORT_CASES, found, caller, {"mode": mode.value})
        view = await take_in(found, rows, mode, command, uow)
        await uow.commit()
    nudges.new_events()
    return view


async def take_in(
    dataset: Dataset, rows: Rows, mode: ImportMode, command: Command, uow: UnitOfWork
) -> CaseChangesView:
    """Stage and check all rows, then make the version; the unit of work is left uncommitted."""
    violations = await _stage(rows, uow)
    if room := max(0, MAX_PROBLEMS - len(violations)):
        violations += await uow.test_cases.problems(dataset.id, mode, room)
    if violations:
        raise InvalidInput(violations[:MAX_PROBLEMS])
    changes = await uow.test_cases.take_staged(dataset.id, dataset.version + 1, mode)
    record_changes(dataset, changes, command, uow)
    return view_of_changes(dataset, changes)


async def _stage(rows: Rows, uow: UnitOfWork) -> list[Violation]:
    violations: list[Violation] = []
    is_empty = True
    while chunk := await asyncio.to_thread(lambda: list(islice(rows, _CHUNK))):
        is_empty = False
        violations += (v for row in chunk if isinstance(row, BadRow) for v in row.violations)
        if len(violations) >= MAX_PROBLEMS:
            break
        await uow.test_cases.stage([row for row in chunk if isinstance(row, IncomingCase)])
    if is_empty:
        raise InvalidInput.of("body", "there is no test case in it")
    return violations
