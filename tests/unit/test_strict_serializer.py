"""The serializer builds what it is told that it may build; anything else fails to load."""

import dataclasses
from collections import deque
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import ormsgpack
import pytest
from hostile_rows import extension, hostile_rows, packed
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_KW_ARGS, JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Interrupt, Send
from pydantic import BaseModel, Field, SecretStr, field_validator

from wtb_async.domain.errors import UnreadableCheckpoint, UntrustedCheckpoint
from wtb_async.infrastructure.checkpoints.display_reader import DisplayReader
from wtb_async.infrastructure.checkpoints.serializer import StrictSerializer

ATTEMPTS = sorted(hostile_rows(Path("mark")))


class Colour(Enum):
    RED = "red"


class Mood(StrEnum):
    GOOD = "good"


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Chunk:
    text: str
    colour: Colour = Colour.RED


class Source(BaseModel):
    url: str = Field(alias="link")


class Answer(BaseModel):
    sources: list[Source]
    score: float = 0.0

    @field_validator("score")
    @classmethod
    def is_positive(cls, score: float) -> float:
        assert score >= 0
        return score


ALLOWED = [Colour, Mood, Point, Chunk, Source, Answer]
VALUES = [
    None,
    "text",
    [1, 2.5, True, {"a": None, 3: b"x"}],
    b"bytes",
    bytearray(b"bytes"),
    Colour.RED,
    Mood.GOOD,
    [Mood.GOOD],
    Point(1, 2),
    Chunk("text"),
    {"chunks": [Chunk("text")]},
    Answer(sources=[Source(link="x")]),
    HumanMessage("hello", id="1"),
    AIMessage("hi", id="2", tool_calls=[{"name": "t", "args": {}, "id": "3", "type": "tool_call"}]),
    Send("node", Chunk("text")),
    Interrupt(value={"ask": Colour.RED}, id="1"),
    _DeltaSnapshot([Chunk("text")]),
    datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    datetime(2026, 1, 2, 3, 4, tzinfo=ZoneInfo("Europe/Zurich")),
    date(2026, 1, 2),
    time(3, 4),
    timedelta(seconds=5),
    UUID(int=7),
    Decimal("1.5"),
    {1, 2},
    frozenset({1}),
    deque([1]),
    Path("/a/b"),
]


@pytest.fixture
def serializer() -> StrictSerializer:
    return StrictSerializer().with_msgpack_allowlist(ALLOWED)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_is_allowed_comes_back_as_what_it_was(
    serializer: StrictSerializer, value: object
) -> None:
    back = serializer.loads_typed(serializer.dumps_typed(value))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_its_bytes_are_those_of_the_stock_serializer(
    serializer: StrictSerializer, value: object
) -> None:
    assert serializer.dumps_typed(value) == JsonPlusSerializer().dumps_typed(value)


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back_with_their_shape(
    serializer: StrictSerializer, order: Literal["C", "F"]
) -> None:
    array = np.array([[1.0, float("nan")], [3.0, 4.0]], order=order)
    back = serializer.loads_typed(serializer.dumps_typed(array))
    np.testing.assert_array_equal(back, array)


def test_a_model_comes_back_even_where_a_node_broke_its_rules(
    serializer: StrictSerializer,
) -> None:
    answer = Answer(sources=[Source(link="x")])
    answer.score = -1.0
    back = serializer.loads_typed(serializer.dumps_typed(answer))
    assert (type(back), back.score) == (Answer, -1.0)


def test_a_sent_node_keeps_its_timeout(serializer: StrictSerializer) -> None:
    sent = Send("node", 1, timeout=3.0)
    back = serializer.loads_typed(serializer.dumps_typed(sent))
    assert (back.node, back.arg, back.timeout) == (sent.node, sent.arg, sent.timeout)


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_hostile_row_fails_to_load_and_executes_nothing(
    serializer: StrictSerializer, tmp_path: Path, attempt: str
) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(UntrustedCheckpoint):
        serializer.loads_typed(hostile_rows(mark)[attempt])
    assert not mark.exists()


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_showing_a_hostile_row_executes_nothing(tmp_path: Path, attempt: str) -> None:
    mark = tmp_path / "mark"
    with suppress(UnreadableCheckpoint):
        DisplayReader().loads_typed(hostile_rows(mark)[attempt])
    assert not mark.exists()


def test_a_type_that_no_schema_names_fails_by_its_name(serializer: StrictSerializer) -> None:
    written = serializer.dumps_typed([SecretStr("x")])
    with pytest.raises(UntrustedCheckpoint, match=r"pydantic\.types\.SecretStr"):
        serializer.loads_typed(written)


DAMAGED = [
    ("msgpack", b"\xc1"),
    ("json", b"{"),
    packed(ormsgpack.Ext(99, b"\xc0")),
    packed(ormsgpack.Ext(0, b"\xc1")),
    packed(extension(0, "uuid", "UUID", "no uuid")),
    packed(extension(0, ["list"], "x", 1)),
]


@pytest.mark.parametrize("row", DAMAGED, ids=repr)
def test_a_damaged_row_fails_instead_of_becoming_something_else(
    serializer: StrictSerializer, row: tuple[str, bytes]
) -> None:
    with pytest.raises(UnreadableCheckpoint, match="cannot be read"):
        serializer.loads_typed(row)


def test_a_class_that_has_changed_since_fails_by_its_name(serializer: StrictSerializer) -> None:
    row = packed(extension(EXT_CONSTRUCTOR_KW_ARGS, __name__, "Chunk", {"renamed": 1}))
    with pytest.raises(UnreadableCheckpoint, match=r"Chunk cannot be read: TypeError"):
        serializer.loads_typed(row)


def test_an_unknown_kind_fails(serializer: StrictSerializer) -> None:
    with pytest.raises(UntrustedCheckpoint, match="'dill'"):
        serializer.loads_typed(("dill", b""))


def test_an_allowlist_grows_and_leaves_the_others_alone() -> None:
    narrow = StrictSerializer()
    wide = narrow.with_msgpack_allowlist([Chunk, (__name__, "Colour")])
    written = wide.dumps_typed(Chunk("text"))
    assert wide.loads_typed(written) == Chunk("text")
    assert wide.with_msgpack_allowlist([Chunk, HumanMessage]) is wide
    with pytest.raises(UntrustedCheckpoint):
        narrow.loads_typed(written)


def test_objects_are_shown_as_their_fields() -> None:
    reader = DisplayReader()
    assert reader.loads_typed(reader.dumps_typed([Chunk("text")])) == [
        {"text": "text", "colour": "red"}
    ]
