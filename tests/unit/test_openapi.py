"""The description of the API is complete enough to generate a client from."""

from typing import Any

import pytest
from factories import new_settings

from api.app import create_app

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(new_settings()).openapi()


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every operation by its id."""
    found = [
        operation
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in METHODS
    ]
    return {operation["operationId"]: operation for operation in found}


def test_every_operation_has_a_name_of_its_own(
    document: dict[str, Any], operations: dict[str, dict[str, Any]]
) -> None:
    assert len(operations) == sum(
        method in METHODS for path in document["paths"].values() for method in path
    )
    assert all(name.isidentifier() and "api_v1" not in name for name in operations)


def test_every_operation_says_what_it_does(operations: dict[str, dict[str, Any]]) -> None:
    assert [name for name, each in operations.items() if not each.get("description")] == []


def test_only_health_asks_for_no_key(operations: dict[str, dict[str, Any]]) -> None:
    open_to_all = [name for name, each in operations.items() if not each.get("security")]
    assert open_to_all == ["get_health"]


def test_every_answer_but_readiness_has_a_schema(
    operations: dict[str, dict[str, Any]],
) -> None:
    unknown = [
        name
        for name, operation in operations.items()
        for status, answer in operation["responses"].items()
        if status.startswith("2") and status != "204" and not schema_of(answer)
    ]
    assert unknown == ["get_ready"]


def schema_of(answer: dict[str, Any]) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = answer.get("content", {})
    return next((content.get("schema", {}) for content in kinds.values()), {})


def test_streams_are_described_as_server_sent_events(
    operations: dict[str, dict[str, Any]],
) -> None:
    for name in ("stream_batch_events", "stream_execution_events"):
        assert list(operations[name]["responses"]["200"]["content"]) == ["text/event-stream"]


def test_every_operation_documents_its_problems(operations: dict[str, dict[str, Any]]) -> None:
    for name, operation in operations.items():
        problems = [s for s in operation["responses"] if s.startswith("4")]
        assert problems, name
        for status in problems:
            kinds = list(operation["responses"][status]["content"])
            assert kinds == ["application/problem+json"], name


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        *(
            (name, ["202", "404", "409", "422"])
            for name in (
                "pause_execution",
                "resume_execution",
                "stop_execution",
                "roll_back_execution",
                "edit_state",
                "extend_batch_test",
            )
        ),
        ("branch_execution", ["202", "404", "422"]),
        *(
            (name, ["202", "404", "409", "422"])
            for name in (
                "pause_batch_test",
                "resume_batch_test",
                "stop_batch_test",
                "retry_failed_of_batch_test",
            )
        ),
    ],
)
def test_every_command_says_how_it_can_be_refused(
    operations: dict[str, dict[str, Any]], name: str, statuses: list[str]
) -> None:
    answers = operations[name]["responses"]
    assert sorted(each for each in answers if each.isdigit()) == statuses
    assert all(answers[each]["description"] for each in statuses)
