"""What the doctor says about settings that would not work, and about those that would."""

import json
import socket
from contextlib import closing
from pathlib import Path

import pytest
from stand_in_stack import ended, stack_of, supervisor_of

from wtb_async.infrastructure.embedded import LocalStackSettings
from wtb_async.infrastructure.embedded.doctor import Finding, examine
from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.embedded.processes import wait_gone


def settings(tmp_path: Path, **changes: object) -> LocalStackSettings:
    values = {"data_dir": tmp_path / "data", "port": 0, "flower_port": 0, **changes}
    return LocalStackSettings(**values)  # type: ignore[arg-type]


def complaints(chosen: LocalStackSettings) -> dict[str, Finding]:
    return {each.subject: each for each in examine(chosen) if not each.is_fine}


def project(tmp_path: Path, document: object) -> Path:
    (tmp_path / "graph.py").write_text("")
    file = tmp_path / "langgraph.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def test_a_machine_that_can_run_the_stack_gets_no_complaint(tmp_path: Path) -> None:
    file = project(
        tmp_path,
        {
            "graphs": {"rag": "./graph.py:build", "other": {"path": "graph:build"}},
            "wtb": {"variants": {"rag": {"node": {"fast": "graph:fast"}}}},
        },
    )
    assert complaints(settings(tmp_path, project=file)) == {}
    assert not (tmp_path / "data").exists()


def test_every_complaint_says_what_to_do(tmp_path: Path) -> None:
    nobody_there = f"127.0.0.1:{free_port()}"
    found = complaints(
        settings(
            tmp_path,
            database_url=f"postgresql://wtb:secret@{nobody_there}/wtb",
            redis_url=f"redis://:secret@{nobody_there}/0",
            ray_address=nobody_there,
        )
    )
    assert set(found) == {"WTB_DATABASE_URL", "WTB_REDIS_URL", "RAY_ADDRESS"}
    assert all(each.remedy for each in found.values())
    assert not any("secret" in each.seen for each in found.values())


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        found = complaints(settings(tmp_path, port=port))
    assert "--port" in found[f"port {port}"].remedy


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert "--data-dir" in complaints(settings(tmp_path))["data directory"].remedy


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    cluster = tmp_path / "data" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("16\n")
    assert complaints(settings(tmp_path))["database"].seen == "made by Postgres 16"


@pytest.mark.parametrize(
    ("document", "subject"),
    [
        ("{", "project"),
        ([], "project"),
        ({"graphs": []}, "project"),
        ({}, "project"),
        ({"graphs": {"rag": "./missing.py:build"}}, "reference rag"),
        ({"graphs": {"rag": "graph.py"}}, "reference rag"),
        ({"graphs": {"rag": "no_such_package.graph:build"}}, "reference rag"),
    ],
)
def test_a_project_that_cannot_be_loaded_is_named(
    tmp_path: Path, document: object, subject: str
) -> None:
    file = project(tmp_path, document)
    assert list(complaints(settings(tmp_path, project=file))) == [subject]


def test_a_stack_is_seen_running_and_after_it_was_killed(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    with ended(stack_of(chosen.data_dir, "redis")) as stack:
        stack.up()
        assert stack_finding(chosen).startswith("runs at http://127.0.0.1:")
        supervisor = supervisor_of(chosen.data_dir)
        supervisor.kill()
        assert wait_gone([supervisor], 10) == []
        assert "was killed" in stack_finding(chosen)


def stack_finding(chosen: LocalStackSettings) -> str:
    return next(each.seen for each in examine(chosen) if each.subject == "stack")
