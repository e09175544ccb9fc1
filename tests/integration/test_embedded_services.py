"""Postgres and Redis from wheels, without a supervisor."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest
from process_answers import answers_of
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from wtb_async.infrastructure.embedded import EmbeddedServices, embedded_services
from wtb_async.infrastructure.embedded.errors import DataDirectoryUnusable
from wtb_async.infrastructure.embedded.guarded_process import GuardedProcess
from wtb_async.infrastructure.embedded.parts import Identity
from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.embedded.postgres import PostgresServer
from wtb_async.infrastructure.embedded.processes import wait_gone

RUN_AND_WAIT = """
import sys, time
from pathlib import Path
from wtb_async.infrastructure.embedded import embedded_services
with embedded_services(Path(sys.argv[1])) as services:
    print(services.database_url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("services") / "a path with spaces" / ("long" * 40)
    assert len(str(folder)) > 150
    return folder


@pytest.fixture(scope="module")
def services(data_dir: Path) -> Iterator[EmbeddedServices]:
    with embedded_services(data_dir) as running:
        yield running


def redis_of(services: EmbeddedServices) -> Redis:
    assert services.redis_url is not None
    return Redis.from_url(services.redis_url)


def test_both_answer_from_a_long_path_with_spaces(services: EmbeddedServices) -> None:
    with psycopg.connect(services.database_url) as connection:
        row = connection.execute("SELECT current_database(), uuidv7() IS NOT NULL").fetchone()
    with redis_of(services) as client:
        assert client.ping()
    assert row == ("wtb", True)


def test_the_owner_may_create_databases(services: EmbeddedServices) -> None:
    with closing(psycopg.connect(services.database_url, autocommit=True)) as connection:
        connection.execute("CREATE DATABASE another")
        connection.execute("DROP DATABASE another")


def test_nobody_gets_in_without_the_password(services: EmbeddedServices) -> None:
    assert services.redis_url is not None
    host = services.database_url.rpartition("@")[2]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://wtb:wrong@{host}")
    port = int(services.redis_url.rpartition(":")[2].partition("/")[0])
    with (
        Redis(port=port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.ping()


def test_no_password_is_in_the_process_list(services: EmbeddedServices) -> None:
    password = services.database_url.split(":")[2].partition("@")[0]
    children = psutil.Process().children(recursive=True)
    commands = [" ".join(words) for words in answers_of(children, psutil.Process.cmdline)]
    assert any("postgres" in command for command in commands)
    assert not any(password in command for command in commands)


def test_files_with_secrets_are_private(services: EmbeddedServices, data_dir: Path) -> None:  # noqa: ARG001
    assert data_dir.stat().st_mode & 0o777 == 0o700
    files = [data_dir / "credentials.json", data_dir / "ray-token", *(data_dir / "run").iterdir()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_rows_outlast_the_server_and_nothing_else_does(tmp_path: Path) -> None:
    with embedded_services(tmp_path, redis=False) as first:
        with psycopg.connect(first.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
        tree = psutil.Process().children(recursive=True)
        commands = answers_of(tree, lambda process: (process, " ".join(process.cmdline())))
        mine = [process for process, command in commands if str(tmp_path) in command]
    assert mine
    assert wait_gone(mine, 0) == []
    with (
        embedded_services(tmp_path, redis=False) as again,
        psycopg.connect(again.database_url) as connection,
    ):
        assert connection.execute("SELECT value FROM kept").fetchone() == (7,)


def test_nothing_outlives_a_killed_owner(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUN_AND_WAIT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline().startswith(b"postgresql://")
        tree = psutil.Process(owner.pid).children(recursive=True)
        owner.kill()
    assert len(tree) > 2
    assert wait_gone(tree, 10) == []


def test_an_ordinary_user_needs_nothing_special(tmp_path: Path) -> None:
    as_user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    code = RUN_AND_WAIT.replace("import sys", "import os, sys").replace(
        "print(", "assert os.geteuid() == 1000; print("
    )
    result = subprocess.run(
        [*(as_user if os.geteuid() == 0 else []), sys.executable, "-c", code, str(tmp_path)],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("postgresql://")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="wtb-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def server_as_nobody(folder: Path) -> PostgresServer:
    return PostgresServer(
        folder=folder / "postgres",
        port=free_port(),
        password="secret",
        log=folder / "postgres.log",
        identity=Identity.NOBODY,
    )


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")


@needs_root
def test_root_without_user_namespaces_runs_postgres_as_nobody(open_folder: Path) -> None:
    data_dir = open_folder / "data"
    data_dir.mkdir(mode=0o700)
    part = server_as_nobody(data_dir).part()
    assert part.prepare
    assert part.ready
    part.prepare()
    process = GuardedProcess(
        part, order=data_dir / "order.json", log=data_dir / "log", parent=os.getpid()
    )
    try:
        while not part.ready():
            assert process.wait(0.05) is None, (data_dir / "log").read_text()
        assert psutil.Process(process.pid).uids().real == pwd.getpwnam("nobody").pw_uid
    finally:
        process.stop()


@needs_root
def test_a_folder_that_nobody_cannot_reach_is_named(open_folder: Path) -> None:
    open_folder.chmod(0o700)
    data_dir = open_folder / "data"
    data_dir.mkdir(mode=0o700)
    with pytest.raises(DataDirectoryUnusable, match=str(open_folder)):
        server_as_nobody(data_dir).create_cluster()
