"""The Ray head as a part: guarded, restarted, gone without a trace."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
from stand_in_stack import ended, stack_of, supervisor_of, tree_of

from wtb_async.infrastructure.embedded.layout import DataDirectory
from wtb_async.infrastructure.embedded.processes import wait_gone
from wtb_async.infrastructure.embedded.record import StackRecord, read_record

CONNECT = "import ray; ray.init(log_to_driver=False); print(ray.cluster_resources()['CPU'])"
RESTART_SECONDS = 60
LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, not written to


def driver(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CONNECT]
    return subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )


def record_of(data_dir: Path) -> StackRecord:
    record = read_record(DataDirectory.at(data_dir))
    assert record is not None
    return record


def listening_addresses(processes: list[psutil.Process]) -> set[str]:
    connections = [each for process in processes for each in process.net_connections(kind="tcp")]
    return {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}


def shared_memory() -> set[str]:
    """Names in shared memory, without those of databases that other tests may run."""
    return {each.name for each in SHARED_MEMORY.iterdir() if "PostgreSQL" not in each.name}


def await_restart(supervisor: psutil.Process, killed: psutil.Process, started: Path) -> None:
    """Wait until another head than the killed one has come up."""
    deadline = time.monotonic() + RESTART_SECONDS
    while True:
        heads = [each for each in supervisor.children() if each.pid != killed.pid]
        if heads and started.exists():
            return
        assert time.monotonic() < deadline, "the head did not come back"
        time.sleep(0.2)


def test_a_ray_head_is_guarded_restarted_and_gone_without_a_trace(tmp_path: Path) -> None:
    before = shared_memory()
    with ended(stack_of(tmp_path / "a path with spaces", "ray")) as stack:
        stack.up()
        data_dir = tmp_path / "a path with spaces"
        record, supervisor = record_of(data_dir), supervisor_of(data_dir)

        connected = driver(record.env)
        assert connected.returncode == 0, connected.stderr
        assert float(connected.stdout) == len(os.sched_getaffinity(0))
        without_token = {**record.env, "RAY_AUTH_TOKEN_PATH": "/dev/null"}
        assert driver(without_token).returncode != 0

        head = supervisor.children()[0]
        first_tree = tree_of(head)
        assert listening_addresses(first_tree) <= LOOPBACK

        started = record.runtime.ray / "ray_current_cluster"
        started.unlink()
        head.kill()
        assert wait_gone(first_tree, 20) == []
        await_restart(supervisor, head, started)
        again = driver(record.env)
        assert again.returncode == 0, again.stderr

        tree = tree_of(supervisor)
        assert stack.down()
    assert wait_gone(tree, 0) == []
    assert not record.runtime.path.exists()
    assert shared_memory() <= before
