"""The life of a stack: coming up in order, restarting what dies, leaving nothing."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
import stand_in_stack
from process_answers import new_children
from redis.exceptions import RedisError
from stand_in_stack import (
    FOUNDATION,
    ended,
    only,
    part_process,
    script,
    stack_of,
    supervisor_of,
    tree_of,
)

from wtb_async.infrastructure.embedded import (
    LocalStack,
    LocalStackSettings,
    Progress,
    StackAddresses,
    Step,
    find_stack,
)
from wtb_async.infrastructure.embedded.errors import PartFailed, PortTaken, StackAlreadyRunning
from wtb_async.infrastructure.embedded.layout import DataDirectory
from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.embedded.processes import wait_gone
from wtb_async.infrastructure.embedded.record import read_record
from wtb_async.infrastructure.embedded.redis import ping

WAIT = "import time; time.sleep(600)"
PROGRAM = Path(stand_in_stack.__file__)


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def runtime_folder(data_dir: Path) -> Path:
    record = read_record(DataDirectory.at(data_dir))
    assert record is not None
    return record.runtime.path


def test_a_stack_is_found_while_it_runs_and_leaves_nothing(tmp_path: Path) -> None:
    data_dir = tmp_path / "a path with spaces; and % signs" / ("long" * 40)
    with ended(stack_of(data_dir, *FOUNDATION)) as stack:
        addresses = stack.up()
        assert find_stack(data_dir) == addresses
        psycopg.connect(addresses.database_url).close()
        tree, runtime = tree_of(supervisor_of(data_dir)), runtime_folder(data_dir)
        assert stack.down()
    assert wait_gone(tree, 0) == []
    assert not runtime.exists()
    assert not (data_dir / "stack.json").exists()
    assert find_stack(data_dir) is None
    assert not stack.down()


def test_parts_start_after_what_they_need(tmp_path: Path) -> None:
    steps: list[tuple[str, Step]] = []

    def note(progress: Progress) -> None:
        steps.append((progress.part, progress.step))

    migrations = script("migrations", "pass", once=True, after=("postgres", "not-in-this-stack"))
    api = script("api", WAIT, after=("migrations",))
    with ended(stack_of(tmp_path, "postgres", extra=(api, migrations))) as stack:
        stack.up(report=note)
    assert steps == [
        ("postgres", Step.STARTING),
        ("postgres", Step.READY),
        ("migrations", Step.STARTING),
        ("migrations", Step.READY),
        ("api", Step.STARTING),
        ("api", Step.READY),
    ]


@pytest.mark.parametrize("once", [True, False])
def test_a_part_that_does_not_start_takes_everything_down(tmp_path: Path, once: bool) -> None:
    broken = script("broken", "import sys; sys.exit('no such table')", once=once, after=("redis",))
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with pytest.raises(PartFailed, match="no such table") as failure:
        stack_of(tmp_path, "redis", extra=(broken,)).up()
    assert failure.value.part == "broken"
    assert new_children(before) == set()
    assert find_stack(tmp_path) is None


def test_a_part_that_dies_late_while_starting_is_named(tmp_path: Path) -> None:
    dies = script("api", "import time; time.sleep(1.5); raise SystemExit('port gone')")
    waits = script("worker", WAIT, ready=lambda: False)
    with pytest.raises(PartFailed, match="port gone"):
        stack_of(tmp_path, extra=(dies, waits)).up()


def test_an_optional_part_that_fails_is_a_warning(tmp_path: Path) -> None:
    told: list[Progress] = []
    sync = script("workflows", "raise SystemExit('bad graph')", once=True, optional=True)
    with ended(stack_of(tmp_path, "redis", extra=(sync,))) as stack:
        stack.up(report=told.append)
        assert find_stack(tmp_path)
    failed = [each for each in told if each.step is Step.FAILED]
    assert [(each.part, each.detail) for each in failed] == [("workflows", "bad graph")]


@pytest.mark.parametrize(("part", "program"), [("postgres", "postgres"), ("redis", "redis-server")])
def test_a_part_that_is_killed_comes_back(tmp_path: Path, part: str, program: str) -> None:
    with ended(stack_of(tmp_path, part)) as stack:
        addresses = stack.up()
        killed = part_process(tmp_path, program)
        killed.kill()
        assert wait_gone([killed], 10) == []
        assert eventually(lambda: is_up(addresses, part))


def is_up(addresses: StackAddresses, part: str) -> bool:
    try:
        if part == "redis":
            ping(addresses.redis_url, seconds=2)
        else:
            psycopg.connect(addresses.database_url).close()
    except (RedisError, psycopg.OperationalError):
        return False
    return True


def test_a_second_up_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with ended(stack_of(tmp_path, "redis")) as stack:
        addresses = stack.up()
        with pytest.raises(StackAlreadyRunning):
            stack_of(tmp_path, "redis").up()
        assert find_stack(tmp_path) == addresses


def test_a_taken_port_is_named_with_a_way_out(tmp_path: Path) -> None:
    with ended(stack_of(tmp_path, "redis")) as stack:
        taken = int(stack.up().redis_url.rpartition(":")[2].partition("/")[0])
        settings = LocalStackSettings(data_dir=tmp_path / "other", port=taken, flower_port=0)
        with pytest.raises(PortTaken, match=f"port {taken} is in use.*--port"):
            LocalStack(settings).up()


def test_given_servers_are_not_started(tmp_path: Path) -> None:
    given = f"redis://127.0.0.1:{free_port()}/0"
    settings = LocalStackSettings(data_dir=tmp_path, port=0, flower_port=0, redis_url=given)
    told: list[Progress] = []
    stack = LocalStack(settings, assemble=only(*FOUNDATION))
    with ended(stack):
        addresses = stack.up(report=told.append)
    assert addresses.redis_url == given
    assert {each.part for each in told} == {"postgres"}


def start_program(data_dir: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(data_dir), *options], stdout=subprocess.PIPE, text=True
    )


def wait_for_up(program: subprocess.Popen[str]) -> None:
    assert program.stdout is not None
    assert program.stdout.readline() == "up\n"


def test_nothing_outlives_a_killed_up_and_the_next_one_clears_up(tmp_path: Path) -> None:
    with start_program(tmp_path) as program:
        wait_for_up(program)
        tree, runtime = tree_of(supervisor_of(tmp_path)), runtime_folder(tmp_path)
        program.kill()
    assert wait_gone(tree, 20) == []
    assert find_stack(tmp_path) is None
    with ended(stack_of(tmp_path, "postgres")) as stack:
        stack.up()
        assert not runtime.exists()


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    with ended(stack_of(tmp_path, *FOUNDATION)) as stack:
        stack.up()
        tree = tree_of(supervisor_of(tmp_path))
        tree[0].kill()
        assert wait_gone(tree, 20) == []
        assert not stack.wait()
        assert find_stack(tmp_path) is None


def test_a_detached_stack_outlives_its_starter_and_ends_with_down(tmp_path: Path) -> None:
    with start_program(tmp_path, "--detach") as program:
        wait_for_up(program)
        assert program.wait() == 0
    with ended(stack_of(tmp_path)) as stack:
        addresses = find_stack(tmp_path)
        assert addresses is not None
        psycopg.connect(addresses.database_url).close()
        tree = tree_of(supervisor_of(tmp_path))
        assert stack.down()
    assert wait_gone(tree, 0) == []


def test_an_interrupt_while_starting_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.step is Step.READY:
            signal.raise_signal(signal.SIGINT)

    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with pytest.raises(KeyboardInterrupt):
        stack_of(tmp_path, "redis", extra=(script("api", WAIT),)).up(report=interrupt)
    assert new_children(before) == set()
    assert not (tmp_path / "stack.json").exists()
