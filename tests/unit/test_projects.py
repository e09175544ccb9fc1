"""References lead into the project's folder or nowhere."""

import re
from pathlib import Path

import pytest
from factories import write_project

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.langgraph.projects import Project, ProjectRegistry, read_project

GRAPH = """
import json as codec
from os.path import join

LIMIT: int = 3
first, (second, *rest) = 1, (2, 3)
if LIMIT:
    def build(): ...
else:
    class Graph: ...
def outer():
    hidden = 1
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(
        tmp_path / "project",
        {
            "graph.py": GRAPH,
            "package/__init__.py": "from .nodes import answer",
            "package/nodes.py": "def answer(): ...",
            "stars.py": "from package.nodes import *",
            "broken.py": "def (",
            "latin.py": "",
            "notes.txt": "build = 1",
        },
    )


@pytest.mark.parametrize(
    "reference",
    [
        "./graph.py:build",
        "graph.py:Graph",
        "graph:LIMIT",
        "graph:codec",
        "graph:join",
        "graph:first",
        "graph:rest",
        "package:answer",
        "package.nodes:answer",
        "./package/nodes.py:answer",
        "./package/../graph.py:build",
    ],
)
def test_a_reference_into_the_project_is_accepted(project: Project, reference: str) -> None:
    project.check_reference(reference)


@pytest.mark.parametrize(
    "reference",
    [
        "",
        ":",
        "graph",
        "graph:",
        ":build",
        "graph:build()",
        "graph:a.b",
        "./graph.py",
        "graph build",
        "./graph.py:__import__('os')",
    ],
)
def test_what_is_no_reference_is_refused(project: Project, reference: str) -> None:
    with pytest.raises(InvalidInput, match=r"is not 'module:attr' or './file.py:attr'"):
        project.check_reference(reference)


@pytest.mark.parametrize(
    "reference",
    [
        "../outside.py:secret",
        "./package/../../outside.py:secret",
        "outside:secret",
        "os:system",
        "os.path:join",
        "..outside:secret",
        "./notes.txt:build",
        "./missing.py:build",
        "package.missing:build",
        "./package:answer",
        f"./{'long' * 100}.py:build",
        f"{'long' * 100}:build",
    ],
)
def test_a_reference_out_of_the_project_is_refused(project: Project, reference: str) -> None:
    (project.folder.parent / "outside.py").write_text("secret = 1")
    with pytest.raises(InvalidInput, match=r"names nothing in project 'project'"):
        project.check_reference(reference)


def test_an_absolute_path_outside_is_refused(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("secret = 1")
    with pytest.raises(InvalidInput, match="names nothing"):
        project.check_reference(f"{outside}:secret")


def test_a_link_out_of_the_project_is_refused(project: Project, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("secret = 1")
    (project.folder / "link.py").symlink_to(tmp_path / "outside.py")
    for reference in ("./link.py:secret", "link:secret"):
        with pytest.raises(InvalidInput, match="names nothing"):
            project.check_reference(reference)


def test_a_folder_that_links_out_of_the_project_is_refused(
    project: Project, tmp_path: Path
) -> None:
    write_project(tmp_path / "other", {"graph.py": GRAPH})
    (project.folder / "linked").symlink_to(tmp_path / "other", target_is_directory=True)
    for reference in ("./linked/graph.py:build", "linked.graph:build"):
        with pytest.raises(InvalidInput, match="names nothing"):
            project.check_reference(reference)


def test_a_dependency_outside_is_searched_but_not_referred_to(tmp_path: Path) -> None:
    write_project(tmp_path / "shared", {"graph.py": GRAPH})
    project = write_project(tmp_path / "project", {}, dependencies=["../shared", "requests"])
    assert project.search_path == [str(project.folder), str((tmp_path / "shared").resolve())]
    with pytest.raises(InvalidInput, match="names nothing"):
        project.check_reference("graph:build")


def test_modules_are_found_in_a_folder_that_the_project_depends_on(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", {"src/graph.py": GRAPH}, dependencies=["./src"])
    project.check_reference("graph:build")


@pytest.mark.parametrize("reference", ["./graph.py:missing", "graph:missing", "graph:json"])
def test_a_name_that_the_file_does_not_bind_is_refused(project: Project, reference: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape("graph.py defines no")):
        project.check_reference(reference)


def test_a_name_inside_a_function_is_not_the_modules(project: Project) -> None:
    with pytest.raises(InvalidInput, match="defines no 'hidden'"):
        project.check_reference("graph:hidden")


@pytest.mark.parametrize("reference", ["stars:answer", "./broken.py:build", "./latin.py:build"])
def test_what_only_loading_can_tell_is_left_to_loading(project: Project, reference: str) -> None:
    (project.folder / "latin.py").write_bytes(b"# \xe9\n")
    project.check_reference(reference)


def test_the_error_names_the_field_that_the_caller_gave(project: Project) -> None:
    with pytest.raises(InvalidInput) as caught:
        project.check_reference("os:system", field="evaluators.2")
    assert [violation.field for violation in caught.value.violations] == ["evaluators.2"]


def test_a_project_is_read_from_langgraphs_own_file(tmp_path: Path) -> None:
    project = write_project(
        tmp_path / "letters",
        {},
        graphs={"a": "./a.py:build", "b": {"path": "b:build", "description": "second"}},
        wtb={
            "variants": {"a": {"first": {"loud": "./a.py:loud"}}},
            "workflow_variants": {"a": {"flat": "./a.py:flat"}},
        },
    )
    assert project.name == "letters"
    assert project.graphs == {"a": "./a.py:build", "b": "b:build"}
    assert project.variants == {"a": {"first": {"loud": "./a.py:loud"}}}
    assert project.workflow_variants == {"a": {"flat": "./a.py:flat"}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"graphs": []}',
        '{"graphs": {"a": 1}}',
        '{"graphs": {"a": {"module": "b"}}}',
        '{"graphs": {}, "wtb": 1}',
        '{"graphs": {}, "dependencies": 1}',
        '{"graphs": {}, "dependencies": [1]}',
        '{"graphs": {}, "wtb": {"variants": []}}',
        '{"graphs": {}, "wtb": {"lower_is_better": "fit_ms"}}',
        '{"graphs": {}, "wtb": {"variants": {"a": {"first": "./a.py:loud"}}}}',
        '{"graphs": {}, "wtb": {"workflow_variants": {"a": 1}}}',
    ],
)
def test_a_file_that_is_not_understood_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "langgraph.json"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=re.escape(f"{file} is not a langgraph.json")):
        read_project(file)


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    file = tmp_path / "langgraph.json"
    file.write_bytes(b"\xff\xfe{}")
    with pytest.raises(InvalidInput, match=r"is not a langgraph.json"):
        read_project(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"there is no file .*langgraph.json"):
        read_project(tmp_path / "langgraph.json")


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=re.escape(str(tmp_path))):
        read_project(tmp_path)


def test_projects_are_found_by_the_names_of_their_folders(tmp_path: Path) -> None:
    one, two = (write_project(tmp_path / name, {}) for name in ("one", "two"))
    registry = ProjectRegistry([one.file, two.file])
    assert list(registry) == [one, two]
    assert registry.get("two") == two
    with pytest.raises(InvalidInput, match="no project 'three'; this server has: one, two"):
        registry.get("three")


def test_two_projects_of_one_name_are_refused(tmp_path: Path) -> None:
    files = [write_project(tmp_path / parent / "same", {}).file for parent in ("a", "b")]
    with pytest.raises(InvalidInput, match="share a folder name: same, same"):
        ProjectRegistry(files)


def test_a_project_may_be_left_unnamed_when_there_is_only_one(tmp_path: Path) -> None:
    one, two = (write_project(tmp_path / name, {}) for name in ("one", "two"))
    assert ProjectRegistry([one.file]).default() == one
    with pytest.raises(InvalidInput, match="name one of: one, two"):
        ProjectRegistry([one.file, two.file]).default()
    with pytest.raises(InvalidInput, match="name one of: none"):
        ProjectRegistry([]).default()
