"""Runs that Celery did not execute appear in a real Flower, over a real Redis."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest
from structlog.testing import capture_logs

from wtb_async.infrastructure.celery.run_reporter import RunReporter
from wtb_async.infrastructure.celery.runner_connection import monitoring_app
from wtb_async.infrastructure.embedded.guarded_process import GuardedProcess
from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.embedded.redis import RedisServer

PASSWORD = "canary-redis-password"
FLOWER_USER = ("operator", "canary-flower-password")
HOSTNAME = "runner-1@test"

Answer = TypeVar("Answer")


def eventually(read: Callable[[], Answer | None], *, within: float = 30.0) -> Answer:
    """The first answer of `read` that is true; the limit only ends a broken test."""
    deadline = time.monotonic() + within
    while not (answer := read()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)
    return answer


class KillableRedis:
    """A Redis that can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = RedisServer(folder=folder, port=free_port(), password=PASSWORD)
        self.url = self._server.url
        self.port = self._server.port
        self.start()

    def start(self) -> None:
        self._process = GuardedProcess(
            self._server.part(),
            order=self._folder / "redis.json",
            log=self._folder / "redis.log",
            parent=os.getpid(),
        )
        eventually(self._server.answers)

    def put_into_mailboxes(self, body: object, serializer: str) -> None:
        app = monitoring_app(self.url)
        with app.connection_for_write() as connection:
            producer = connection.Producer(serializer=serializer)
            producer.publish(body, exchange=app.control.mailbox.exchange)

    def kill(self) -> None:
        self._process.process.kill()
        self._process.wait()


class Flower:
    """What a person sees in Flower's pages and API."""

    def __init__(self, port: int) -> None:
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", auth=FLOWER_USER, timeout=30.0
        )

    def is_up(self) -> bool:
        try:
            return self._http.get("/healthcheck").is_success
        except httpx.TransportError:
            return False

    def task(self, run_id: str, state: str) -> dict[str, Any] | None:
        task = self._http.get("/api/tasks").json().get(run_id)
        return task if task and task["state"] == state else None

    def task_page(self, run_id: str) -> httpx.Response:
        return self._http.get(f"/task/{run_id}")

    def worker_is_alive(self, hostname: str) -> bool:
        return bool(self._worker_states().get(hostname))

    def worker_is_gone(self, hostname: str) -> bool:
        return self._worker_states().get(hostname) is False

    def worker_page(self, hostname: str) -> httpx.Response:
        return self._http.get(f"/worker/{hostname}")

    def worker(self, hostname: str) -> dict[str, Any]:
        query = {"refresh": "1", "workername": hostname}
        return dict(self._http.get("/api/workers", params=query).json()[hostname])

    def revoke(self, run_id: str) -> httpx.Response:
        return self._http.post(f"/api/task/revoke/{run_id}", params={"terminate": "true"})

    def grow_pool(self, hostname: str) -> httpx.Response:
        return self._http.post(f"/api/worker/pool/grow/{hostname}")

    def close(self) -> None:
        self._http.close()

    def _worker_states(self) -> dict[str, bool]:
        return dict(self._http.get("/api/workers", params={"status": "1"}).json())


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KillableRedis]:
    server = KillableRedis(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def flower(
    redis_server: KillableRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flower]:
    port = free_port()
    secrets = {"CELERY_BROKER_URL": redis_server.url, "FLOWER_BASIC_AUTH": ":".join(FLOWER_USER)}
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "flower", "--address=127.0.0.1", f"--port={port}"],
        env=os.environ | secrets,
        cwd=tmp_path_factory.mktemp("flower"),
        stderr=subprocess.DEVNULL,
    )
    flower = Flower(port)
    eventually(flower.is_up)
    yield flower
    flower.close()
    process.terminate()
    process.wait()


@contextmanager
def reporting(
    redis_server: KillableRedis, on_revoke: Callable[[str], None], **limits: int
) -> Iterator[RunReporter]:
    reporter = RunReporter(
        broker_url=redis_server.url, hostname=HOSTNAME, on_revoke=on_revoke, **limits
    )
    reporter.start()
    yield reporter
    reporter.stop()


@pytest.fixture
def revoked() -> Queue[str]:
    return Queue()


@pytest.fixture
def reporter(
    redis_server: KillableRedis, flower: Flower, revoked: Queue[str]
) -> Iterator[RunReporter]:
    with reporting(redis_server, revoked.put) as reporter:
        eventually(lambda: flower.worker_is_alive(HOSTNAME))
        yield reporter


def begin_run(reporter: RunReporter) -> str:
    run_id = str(uuid4())
    reporter.received(run_id, name="wtb.run", args="('rag',)", kwargs="{'retriever': 'bm25'}")
    reporter.started(run_id)
    return run_id


def test_a_run_that_ends_well_is_a_successful_task_with_its_own_runtime(
    reporter: RunReporter, flower: Flower
) -> None:
    run_id = begin_run(reporter)
    reporter.succeeded(run_id, result="completed", runtime=1.25)

    task = eventually(lambda: flower.task(run_id, "SUCCESS"))

    assert task["name"] == "wtb.run"
    assert task["kwargs"] == "{'retriever': 'bm25'}"
    assert task["runtime"] == 1.25
    assert task["worker"] == HOSTNAME
    assert flower.task_page(run_id).status_code == 200


def test_a_run_that_fails_shows_its_error_and_where_it_happened(
    reporter: RunReporter, flower: Flower
) -> None:
    run_id = begin_run(reporter)
    reporter.failed(
        run_id, exception="ValueError('no index')", traceback="File graph.py, line 7", runtime=0.5
    )

    task = eventually(lambda: flower.task(run_id, "FAILURE"))

    assert task["exception"] == "ValueError('no index')"
    assert "File graph.py, line 7" in flower.task_page(run_id).text


def test_a_runner_has_a_worker_page_that_lists_what_it_runs(
    reporter: RunReporter, flower: Flower, redis_server: KillableRedis
) -> None:
    run_id = begin_run(reporter)
    waiting_id = str(uuid4())
    reporter.received(waiting_id, name="wtb.run", args="()", kwargs="{}")

    page = flower.worker_page(HOSTNAME)
    worker = flower.worker(HOSTNAME)

    assert page.status_code == 200
    assert run_id in page.text
    assert [task["id"] for task in worker["active"]] == [run_id]
    assert [task["id"] for task in worker["reserved"]] == [waiting_id]
    assert worker["registered"] == ["wtb.run"]
    assert worker["stats"]["broker"]["port"] == redis_server.port
    assert PASSWORD not in page.text


def test_revoke_in_flower_reaches_the_runner_that_holds_the_run(
    reporter: RunReporter, flower: Flower, revoked: Queue[str]
) -> None:
    run_id = begin_run(reporter)
    eventually(lambda: flower.task(run_id, "STARTED"))

    assert flower.revoke(str(uuid4())).status_code == 200
    assert flower.revoke(run_id).status_code == 200

    assert revoked.get(timeout=30) == run_id
    reporter.revoked(run_id)
    assert eventually(lambda: flower.task(run_id, "REVOKED"))
    assert revoked.empty()


@pytest.mark.parametrize("unwanted", [([1, 2], "json"), ({"method": 7}, "pickle")])
def test_what_is_no_command_is_refused_and_does_not_deafen_the_runner(
    reporter: RunReporter,
    flower: Flower,
    revoked: Queue[str],
    redis_server: KillableRedis,
    unwanted: tuple[object, str],
) -> None:
    run_id = begin_run(reporter)
    eventually(lambda: flower.task(run_id, "STARTED"))
    redis_server.put_into_mailboxes(*unwanted)

    flower.revoke(run_id)

    assert revoked.get(timeout=30) == run_id


def test_what_a_runner_cannot_do_is_refused_in_words(reporter: RunReporter, flower: Flower) -> None:
    begin_run(reporter)
    # Flower lets a worker be controlled once somebody has looked at it.
    eventually(lambda: flower.worker_page(HOSTNAME).is_success)

    answer = flower.grow_pool(HOSTNAME)

    assert answer.status_code == 403
    assert "does not offer 'pool_grow'" in answer.text


def test_a_runner_that_ends_is_shown_as_offline(
    redis_server: KillableRedis, flower: Flower, revoked: Queue[str]
) -> None:
    with reporting(redis_server, revoked.put):
        eventually(lambda: flower.worker_is_alive(HOSTNAME))

    assert eventually(lambda: flower.worker_is_gone(HOSTNAME))


def test_events_and_revoke_work_again_after_redis_was_killed(
    redis_server: KillableRedis, flower: Flower, revoked: Queue[str]
) -> None:
    with reporting(redis_server, revoked.put, queue_size=4) as reporter:
        finished = begin_run(reporter)
        eventually(lambda: flower.task(finished, "STARTED"))
        with capture_logs() as logs:
            redis_server.kill()
            eventually(lambda: [log for log in logs if log["event"] == "broker_unreachable"])
            reporter.succeeded(finished, result="completed", runtime=2.0)
            lost = [begin_run(reporter) for _ in range(3)]
            redis_server.start()
            eventually(lambda: [log for log in logs if log["event"] == "run_events_dropped"])
        running = begin_run(reporter)

        eventually(lambda: flower.task(running, "STARTED"))
        eventually(lambda: flower.revoke(running).is_success and not revoked.empty())

    assert reporter.dropped_events == 3
    assert revoked.get() == running
    assert len([log for log in logs if log["event"] == "run_events_dropped"]) == 1
    assert len([log for log in logs if log["event"] == "broker_unreachable"]) <= 2
    assert PASSWORD not in repr(logs)
    assert len(lost) == 3


def test_a_runner_without_a_broker_neither_blocks_nor_fails() -> None:
    reporter = RunReporter(
        broker_url=f"redis://127.0.0.1:{free_port()}/0",
        hostname=HOSTNAME,
        on_revoke=pytest.fail,
        queue_size=1,
    )
    reporter.start()
    with capture_logs() as logs:
        begin_run(reporter)
        reporter.stop()

    assert reporter.dropped_events == 1
    assert "run_events_lost_at_stop" in [log["event"] for log in logs]
