"""Cursors point behind the last item shown, and nonsense is refused."""

from contextlib import suppress
from uuid import UUID

import pytest
from factories import unhurried
from hypothesis import given
from hypothesis import strategies as st

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.postgres.queries.paging import page_of, read_cursor, write_cursor

Row = dict[str, UUID]


def ids(count: int) -> list[Row]:
    return [{"id": UUID(int=number)} for number in range(count)]


@given(st.uuids())
def test_a_cursor_leads_back_to_its_item(item: UUID) -> None:
    cursor = write_cursor(item)
    assert read_cursor(cursor) == item
    assert cursor.replace("-", "").replace("_", "").isalnum()


@unhurried
@given(st.text())
def test_any_text_is_a_cursor_or_refused_as_one(text: str) -> None:
    with suppress(InvalidInput):
        assert isinstance(read_cursor(text), UUID)


@pytest.mark.parametrize("cursor", ["", "x", "é", write_cursor(UUID(int=1))[:-4], "a" * 1000])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor: it is not a cursor of this server"):
        read_cursor(cursor)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_list_that_fits_has_no_next_page(count: int) -> None:
    page = page_of(ids(count), lambda row: row["id"], limit=2)  # type: ignore[arg-type]
    assert len(page.items) == count
    assert page.next_cursor is None


def test_a_longer_list_is_cut_and_continued_behind_the_last_item() -> None:
    page = page_of(ids(3), lambda row: row["id"].int, limit=2)  # type: ignore[arg-type]
    assert page.items == [0, 1]
    assert page.next_cursor is not None
    assert read_cursor(page.next_cursor) == UUID(int=1)


def test_another_key_may_be_the_place_in_the_list() -> None:
    rows = [{"at": UUID(int=7)}, {"at": UUID(int=8)}]
    page = page_of(rows, dict, limit=1, key="at")  # type: ignore[arg-type]
    assert page.next_cursor is not None
    assert read_cursor(page.next_cursor) == UUID(int=7)
