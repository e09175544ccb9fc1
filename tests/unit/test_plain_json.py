"""What a graph returns becomes JSON that Postgres can hold, or an error that names the place."""

import dataclasses
import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from factories import unhurried
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from wtb_async.infrastructure.langgraph.plain_json import NotStorable, plain_json
from wtb_async.infrastructure.postgres.json_text import to_json_text

ANY_TEXT = st.text(st.characters(exclude_categories=()))
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ANY_TEXT
    | st.binary()
    | st.datetimes()
    | st.timedeltas()
    | st.uuids()
    | st.decimals()
    | st.complex_numbers()
    | st.floats().map(np.float64)
    | st.floats(width=32).map(np.float32)
    | st.lists(st.floats(), max_size=3).map(np.array)
    | st.integers(-(2**63), 2**63 - 1).map(np.int64)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(ANY_TEXT | st.integers() | st.booleans(), inner, max_size=3)
    ),
    max_leaves=8,
)


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Mood(StrEnum):
    GOOD = "good"


class Document(BaseModel):
    title: str
    read: date


@dataclasses.dataclass
class Hit:
    document: Document
    score: np.float64


class Opaque:
    def __repr__(self) -> str:
        return "<opaque>"


@unhurried
@given(VALUES)
def test_every_value_becomes_storable_json_or_an_error_that_names_the_place(value: object) -> None:
    place = "state"
    try:
        plain = plain_json(value, "state")
    except NotStorable as error:
        plain, place = None, error.path
    assert place.startswith("state")
    assert storable(plain)
    assert json.loads(to_json_text(plain)) == plain


def storable(value: object) -> bool:
    match value:
        case dict():
            return all(storable(key) and storable(item) for key, item in value.items())
        case list():
            return all(storable(item) for item in value)
        case str():
            return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
        case float():
            return math.isfinite(value)
        case _:
            return value is None or isinstance(value, bool | int)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 3, 4, 5, 6, tzinfo=UTC), "2026-03-04T05:06:00+00:00"),
        (date(2026, 3, 4), "2026-03-04"),
        (time(5, 6), "05:06:00"),
        (timedelta(minutes=1.5), 90.0),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("a/b"), "a/b"),
        (Decimal("1.10"), "1.10"),
        (b"\x00\xff", "AP8="),
        (bytearray(b"a"), "YQ=="),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Mood.GOOD, "good"),
        (frozenset({1}), [1]),
        ((1, (2,)), [1, [2]]),
        (MappingProxyType({1: 2}), {"1": 2}),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array(7), 7),
        (Opaque(), "<opaque>"),
        (Document(title="t", read=date(2026, 3, 4)), {"title": "t", "read": "2026-03-04"}),
        (
            Hit(Document(title="t", read=date(2026, 3, 4)), np.float64(0.5)),
            {"document": {"title": "t", "read": "2026-03-04"}, "score": 0.5},
        ),
    ],
)
def test_common_types_become_the_json_one_expects(value: object, expected: object) -> None:
    assert json.loads(to_json_text(plain_json(value))) == expected


def test_messages_become_their_fields() -> None:
    plain: Any = plain_json({"messages": [HumanMessage("why?"), AIMessage("because")]})
    kinds = [(message["type"], message["content"]) for message in plain["messages"]]
    assert kinds == [("human", "why?"), ("ai", "because")]
    assert json.loads(to_json_text(plain)) == plain


def test_a_class_is_no_dataclass_instance() -> None:
    assert "Hit" in str(plain_json(Hit))


def nested(value: object) -> object:
    return {"documents": [{"ok": 1}, {"score": value}]}


def as_an_array(value: object) -> object:
    return {"documents": [0, {"score": np.array([value, 1.0])}]}


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), -math.inf, "a\x00b", "\ud800", 2**64, -(2**63) - 1, "\x00" * 3],
)
@pytest.mark.parametrize("place", [nested, lambda v: {"documents": (0, {"score": [v]})}])
def test_what_postgres_cannot_hold_is_refused_with_its_place(
    value: object, place: Callable[[object], object]
) -> None:
    with pytest.raises(NotStorable, match=r"documents\[1\]\.score"):
        plain_json(place(value))


def test_a_number_inside_an_array_is_refused_with_its_place() -> None:
    with pytest.raises(NotStorable, match=r"documents\[1\]\.score\[0\]: nan"):
        plain_json(as_an_array(math.nan))


@pytest.mark.parametrize("key", ["a\x00", "\ud800"])
def test_a_key_that_postgres_cannot_hold_is_refused(key: str) -> None:
    with pytest.raises(NotStorable, match="state: the text holds"):
        plain_json({key: 1}, "state")


def test_a_lone_value_that_cannot_be_stored_is_called_the_value() -> None:
    with pytest.raises(NotStorable, match="the value: nan is not a JSON number"):
        plain_json(math.nan)
