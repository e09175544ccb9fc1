"""`wtb up` with everything: as root and as an ordinary user, until nothing is left."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from process_answers import answers_of

from wtb_async.infrastructure.embedded import StackAddresses, find_stack
from wtb_async.infrastructure.embedded.credentials import Credentials
from wtb_async.infrastructure.embedded.layout import DataDirectory
from wtb_async.infrastructure.embedded.processes import wait_gone
from wtb_async.infrastructure.embedded.record import StackRecord, read_record

WTB = [sys.executable, "-m", "wtb_async.cli.main"]
AS_ORDINARY_USER = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, not written to

GRAPH = """
from typing import TypedDict
from langgraph.graph import END, START, StateGraph

class State(TypedDict):
    word: str

async def shout(state: State) -> State:
    return {"word": state["word"].upper()}

def build() -> StateGraph:
    graph = StateGraph(State)
    graph.add_node("shout", shout)
    graph.add_edge(START, "shout")
    graph.add_edge("shout", END)
    return graph
"""


def make_project(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "graph.py").write_text(GRAPH)
    document = {"dependencies": ["."], "graphs": {"shout": "./graph.py:build"}}
    (folder / "langgraph.json").write_text(json.dumps(document))
    # A project may well have a package named like one of ours.
    (folder / "api.py").write_text("raise RuntimeError('the wrong api')")
    return folder


def wtb(folder: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> str:
    result = subprocess.run(
        [*prefix, *WTB, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def record_of(folder: Path) -> StackRecord:
    record = read_record(DataDirectory.at(folder / ".wtb"))
    assert record is not None
    return record


def addresses_of(folder: Path) -> StackAddresses:
    addresses = find_stack(folder / ".wtb")
    assert addresses is not None
    return addresses


def tree_of(folder: Path) -> list[psutil.Process]:
    supervisor = record_of(folder).supervisor()
    assert supervisor is not None
    return [supervisor, *supervisor.children(recursive=True)]


def shared_memory() -> set[str]:
    return {each.name for each in SHARED_MEMORY.iterdir() if "PostgreSQL" not in each.name}


@contextmanager
def nothing_left(folder: Path) -> Iterator[list[psutil.Process]]:
    """Every process put into the list is gone afterwards, and so is shared memory."""
    before, processes = shared_memory(), list[psutil.Process]()
    try:
        yield processes
    finally:
        subprocess.run([*WTB, "down"], cwd=folder, check=True, capture_output=True)
    assert processes
    assert wait_gone(processes, 0) == []
    assert shared_memory() <= before
    assert not (folder / ".wtb" / "stack.json").exists()


def runs_a_workflow(folder: Path) -> None:
    document = json.loads(
        wtb(folder, "run", "shout", "--input", '{"word": "hello"}', "--wait", "--json")
    )
    assert document["status"] == "completed"
    assert document["output"] == {"word": "HELLO"}


def test_up_serves_the_project_of_its_folder_until_ctrl_c(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "project")
    with nothing_left(folder) as processes:
        up = subprocess.Popen(
            [*WTB, "up", "--port", "0", "--flower-port", "0"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert up.stdout is not None
        shown = list(iter(up.stdout.readline, "Ctrl-C ends it.\n"))
        assert any(line.startswith("API docs") for line in shown), "".join(shown)

        addresses = addresses_of(folder)
        status = json.loads(wtb(folder, "status", "--json"))
        assert status["ready"]
        assert status["parts"]["worker"]["state"] == "up"
        assert httpx.get(f"{addresses.api_url}/docs").is_success
        assert (
            httpx.get(f"{addresses.flower_url}/api/workers").status_code == httpx.codes.UNAUTHORIZED
        )
        login = (addresses.flower_user, addresses.flower_password)
        assert httpx.get(f"{addresses.flower_url}/workers", auth=login).is_success

        runs_a_workflow(folder)
        assert "A stack runs already" in wtb(folder, "up")

        processes.extend(tree_of(folder))
        assert any("RunActor" in each.name() for each in processes)
        up.send_signal(signal.SIGINT)
        assert up.stdout.read().endswith("Everything is stopped.\n")
        up.stdout.close()
        assert up.wait() == 0


def test_an_ordinary_user_may_keep_it_below_a_long_path_with_spaces(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a path with spaces" / ("long" * 40))
    as_user = tuple(AS_ORDINARY_USER) if os.geteuid() == 0 else ()
    with nothing_left(folder) as processes:
        wtb(folder, "up", "--detach", "--port", "0", "--flower-port", "0", prefix=as_user)
        processes.extend(tree_of(folder))
        runs_a_workflow(folder)
        listens_on_loopback_only(processes)
        shows_no_secret(folder, processes)
        assert "Everything is stopped" in wtb(folder, "down", prefix=as_user)


def listens_on_loopback_only(processes: list[psutil.Process]) -> None:
    found = answers_of(processes, lambda process: process.net_connections(kind="tcp"))
    connections = [each for connections in found for each in connections]
    listening = {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    assert listening
    assert listening <= LOOPBACK


def shows_no_secret(folder: Path, processes: list[psutil.Process]) -> None:
    known = Credentials.of(DataDirectory.at(folder / ".wtb"))
    secrets = {
        known.postgres_password,
        known.redis_password,
        known.ray_token,
        known.api_key,
        known.flower_password,
    }
    commands = " ".join(
        word for words in answers_of(processes, psutil.Process.cmdline) for word in words
    )
    logs = "".join(file.read_text() for file in (folder / ".wtb" / "logs").iterdir())
    assert not [secret for secret in secrets if secret in commands or secret in logs]
