"""How far a batch test is: a live bar on a terminal, plain lines otherwise."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from wtb_async.cli.console import stderr
from wtb_async.sdk.batch_models import BatchProgress

_STEPS = 10
"""Plain lines are written at every tenth of the way."""


@contextmanager
def batch_progress(name: str) -> Iterator[Callable[[BatchProgress], None]]:
    """Show what the yielded function is told, on standard error, until the block ends."""
    console = stderr()
    if not console.is_terminal:
        yield _PlainLines(console, name)
        return
    with _bar(console) as bar:
        task = bar.add_task(name, total=None, state="waiting")

        def show(progress: BatchProgress) -> None:
            counts = progress.counts
            bar.update(task, total=counts.total, completed=counts.ended, state=_state(progress))

        yield show


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
        console=console,
    )


class _PlainLines:
    """Writes a line whenever another tenth is done."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._step = -1

    def __call__(self, progress: BatchProgress) -> None:
        counts = progress.counts
        step = _STEPS * counts.ended // max(counts.total, 1)
        if step > self._step:
            self._step = step
            line = f"{self._name}: {counts.ended} of {counts.total} done, {_state(progress)}"
            self._console.print(line, markup=False, soft_wrap=True)


def _state(progress: BatchProgress) -> str:
    counts = progress.counts
    parts = [f"{counts.running} running", f"{counts.failed} failed"]
    if progress.scored is not None:
        parts.append(f"{progress.scored} scored")
    return ", ".join(parts)
