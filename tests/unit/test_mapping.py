"""The domain's classes and the tables say the same: nothing drifts apart."""

import dataclasses
from collections.abc import Iterator
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from sqlalchemy import Enum, Table
from sqlalchemy.orm import Mapper

from wtb_async.infrastructure.postgres import file_tables, integrity_tables
from wtb_async.infrastructure.postgres.mapping import map_domain, mapper_registry
from wtb_async.infrastructure.postgres.tables import (
    evaluation_results,
    metadata,
    node_boundaries,
    outbox,
)

RENAMED = {"annotations": "metadata"}
KEPT_FROM_THE_DOMAIN = {
    "wtb_executions": {"scored_at", "scoring_until", "input_tokens", "output_tokens", "cost"},
    "wtb_batch_tests": {"summaries", "summarized_at"},
}
"""How far evaluation has come and what it found, which only its own statements read and write."""
FILES = (
    file_tables.file_blobs,
    file_tables.file_commits,
    file_tables.file_mementos,
    file_tables.checkpoint_files,
    file_tables.workspaces,
)
VERIFICATIONS = (integrity_tables.failed_verifications, integrity_tables.event_verification)
UNMAPPED = {
    table.name for table in (evaluation_results, node_boundaries, outbox, *FILES, *VERIFICATIONS)
}


def mappers() -> list[Mapper[Any]]:
    map_domain()
    return sorted(mapper_registry.mappers, key=lambda mapper: mapper.class_.__name__)


def table_of(mapper: Mapper[Any]) -> Table:
    assert isinstance(mapper.local_table, Table)
    return mapper.local_table


def fields_of(mapper: Mapper[Any]) -> list[str]:
    """The dataclass's fields, without the collections that other tables hold."""
    related = set(mapper.relationships.keys())
    return [f.name for f in dataclasses.fields(mapper.class_) if f.name not in related]


def columns_with_hints() -> Iterator[Any]:
    for mapper in mappers():
        hints = get_type_hints(mapper.class_)
        for field in fields_of(mapper):
            column = mapper.columns[field]
            yield pytest.param(column, hints[field], id=f"{mapper.class_.__name__}.{field}")


@pytest.mark.parametrize("mapper", mappers(), ids=str)
def test_every_field_has_a_column_and_every_column_a_field(mapper: Mapper[Any]) -> None:
    table = table_of(mapper)
    hidden = KEPT_FROM_THE_DOMAIN.get(table.name, set())
    fields = {RENAMED.get(name, name) for name in fields_of(mapper)}
    assert fields == set(table.columns.keys()) - hidden


@pytest.mark.parametrize("mapper", mappers(), ids=str)
def test_every_attribute_carries_the_column_of_its_name(mapper: Mapper[Any]) -> None:
    for attribute in mapper.column_attrs:
        assert attribute.columns[0].name == RENAMED.get(attribute.key, attribute.key)
    assert {attribute.columns[0].name for attribute in mapper.column_attrs} == set(
        table_of(mapper).columns.keys()
    )


@pytest.mark.parametrize(("column", "hint"), list(columns_with_hints()))
def test_a_column_may_be_empty_exactly_where_the_field_may(column: Any, hint: Any) -> None:  # noqa: ANN401
    assert column.nullable is may_be_none(hint) or column.server_default is not None


def may_be_none(hint: object) -> bool:
    return isinstance(hint, UnionType) and type(None) in get_args(hint)


@pytest.mark.parametrize(("column", "hint"), list(columns_with_hints()))
def test_a_status_takes_the_same_values_in_both(column: Any, hint: Any) -> None:  # noqa: ANN401
    choices = [kind for kind in (hint, *get_args(hint)) if is_choice(kind)]
    if choices:
        assert isinstance(column.type, Enum)
        assert column.type.enums == [str(member) for member in choices[0]]
    else:
        assert not isinstance(column.type, Enum)


def is_choice(kind: object) -> bool:
    return get_origin(kind) is None and isinstance(kind, type) and issubclass(kind, StrEnum)


def test_every_table_is_mapped_but_those_that_only_statements_touch() -> None:
    mapped = {table_of(mapper).name for mapper in mappers()}
    assert set(metadata.tables) == mapped | UNMAPPED


def test_mapping_twice_changes_nothing() -> None:
    before = mappers()
    map_domain()
    assert mappers() == before
