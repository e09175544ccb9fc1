"""Real stacks, with every process of them; one for all the tests that only use it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wtb_async.infrastructure.embedded import LocalStack, LocalStackSettings
from wtb_async.infrastructure.embedded.layout import DataDirectory
from wtb_async.infrastructure.embedded.record import StackRecord, read_record
from wtb_async.sdk.client import WTBClient

PROJECT = Path(__file__).parents[1] / "projects" / "langgraph.json"

SURROUNDINGS = {
    "WTB_RUNNER__HEARTBEAT_SECONDS": "1",
    "WTB_RUNNER__LEASE_SECONDS": "8",
    "WTB_RUNNER__FENCE_AFTER_SECONDS": "4",
    "WTB_RUNNER__EXIT_AFTER_SECONDS": "6",
    "WTB_EVALUATION__CLAIM_SECONDS": "10",
    "WTB_POOL__MIN_RUNNERS": "2",
}
"""Faults are noticed after a fraction of the usual time; another runner is there to take over."""


@contextmanager
def running_stack(project: Path, data_dir: Path) -> Iterator[StackRecord]:
    """A stack with two runners for the graphs of a langgraph.json."""
    local = LocalStack(
        LocalStackSettings(data_dir=data_dir, port=0, flower_port=0, project=project)
    )
    with pytest.MonkeyPatch.context() as environment:
        for name, value in SURROUNDINGS.items():
            environment.setenv(name, value)
        local.up()
    try:
        record = read_record(DataDirectory.at(data_dir))
        assert record is not None
        yield record
    finally:
        local.down()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackRecord]:
    """The stack for the graphs of letters, stations and tally."""
    with running_stack(PROJECT, tmp_path_factory.mktemp("stack")) as record:
        yield record


@pytest.fixture
async def client(stack: StackRecord) -> AsyncIterator[WTBClient]:
    addresses = stack.addresses
    async with WTBClient(addresses.api_url, api_key=addresses.api_key) as opened:
        yield opened
