"""What a project's file may say of workspaces, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.langgraph.workspace_settings import (
    DEFAULT_WORKSPACE,
    Snapshots,
    WhenEnded,
    WorkspaceSettings,
    read_workspaces,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "file").touch()
    return folder


def test_an_entry_says_how_workspaces_are_kept(folder: Path) -> None:
    entry = {
        "source": "./data",
        "ignore": ["*.tmp"],
        "copy": ["*.db"],
        "snapshots": "superstep",
        "when_ended": "keep",
        "processes": ["train"],
    }
    assert read_workspaces({"rag": entry}, folder, ["rag"]) == {
        "rag": WorkspaceSettings(
            source=folder / "data",
            ignore=("*.tmp",),
            copy=("*.db",),
            snapshots=Snapshots.SUPERSTEP,
            when_ended=WhenEnded.KEEP,
            processes=frozenset({"train"}),
        )
    }


def test_everything_may_be_left_out(folder: Path) -> None:
    assert read_workspaces({"rag": {}}, folder, ["rag"]) == {"rag": DEFAULT_WORKSPACE}


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ([], "wtb.workspaces"),
        ({"rag": 1}, "rag"),
        ({"other": {}}, "other"),
        ({"rag": {"sources": "data"}}, "rag.sources"),
        ({"rag": {"snapshots": "never"}}, "rag.snapshots"),
        ({"rag": {"when_ended": "burn"}}, "rag.when_ended"),
        ({"rag": {"ignore": "*.tmp"}}, "rag.ignore"),
        ({"rag": {"ignore": ["!"]}}, "rag.ignore"),
        ({"rag": {"processes": [1]}}, "rag.processes.0"),
        ({"rag": {"source": "../outside"}}, "rag.source"),
        ({"rag": {"source": "/"}}, "rag.source"),
        ({"rag": {"source": "missing"}}, "rag.source"),
        ({"rag": {"source": "file"}}, "rag.source"),
        ({"rag": {"source": "link"}}, "rag.source"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(
    folder: Path,
    given: Any,  # noqa: ANN401
    place: str,
) -> None:
    (folder.parent / "outside").mkdir()
    (folder / "link").symlink_to(folder.parent / "outside")
    with pytest.raises(InvalidInput, match=place):
        read_workspaces(given, folder, ["rag"])
