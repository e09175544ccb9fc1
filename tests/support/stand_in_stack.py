"""Stacks of few and light parts, for what holds whichever parts a stack has.

Run as a program it starts such a stack and waits, so that tests can kill it.
"""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from wtb_async.infrastructure.embedded import LocalStack, LocalStackSettings
from wtb_async.infrastructure.embedded.assembly import Assemble, Assembly, assemble
from wtb_async.infrastructure.embedded.layout import DataDirectory, RuntimeFolder
from wtb_async.infrastructure.embedded.parts import PartSpec
from wtb_async.infrastructure.embedded.record import read_record

FOUNDATION = ("postgres", "redis")


def script(name: str, code: str, **fields: object) -> PartSpec:
    """A part that runs a few lines of Python."""
    part = PartSpec(name=name, argv=(sys.executable, "-c", code), cwd=Path("/"))
    return replace(part, **fields)  # type: ignore[arg-type]


def only(*names: str, extra: tuple[PartSpec, ...] = ()) -> Assemble:
    """Plan the named parts of the real stack, and some more."""

    def plan(settings: LocalStackSettings, data: DataDirectory, runtime: RuntimeFolder) -> Assembly:
        whole = assemble(settings, data, runtime)
        chosen = tuple(part for part in whole.parts if part.name in names)
        return replace(whole, parts=(*chosen, *extra), why_not_ready=lambda _: None)

    return plan


def stack_of(data_dir: Path, *names: str, extra: tuple[PartSpec, ...] = ()) -> LocalStack:
    """A stack of the named parts of the real one, and some more."""
    settings = LocalStackSettings(data_dir=data_dir, port=0, flower_port=0)
    return LocalStack(settings, assemble=only(*names, extra=extra))


def supervisor_of(data_dir: Path) -> psutil.Process:
    """The process at the root of the stack that runs in a data directory."""
    record = read_record(DataDirectory.at(data_dir))
    assert record is not None
    supervisor = record.supervisor()
    assert supervisor is not None
    return supervisor


def tree_of(root: psutil.Process) -> list[psutil.Process]:
    """A process and everything below it."""
    return [root, *root.children(recursive=True)]


def part_process(data_dir: Path, name: str) -> psutil.Process:
    """The process of one part, found by its command."""
    return next(each for each in supervisor_of(data_dir).children() if name in each.name())


@contextmanager
def ended(stack: LocalStack) -> Iterator[LocalStack]:
    """The stack, ended whatever the test does."""
    try:
        yield stack
    finally:
        stack.down()


if __name__ == "__main__":
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.default_int_handler)
    stack_of(Path(sys.argv[1]), *FOUNDATION).up(detach="--detach" in sys.argv)
    print("up", flush=True)  # noqa: T201 - the test waits for this line
    if "--detach" not in sys.argv:
        time.sleep(600)
