"""Partitions are named by month, and their names sort by time."""

from datetime import date

import pytest
from factories import unhurried
from hypothesis import given
from hypothesis import strategies as st

from wtb_async.infrastructure.postgres.partitions import add_months, partition_name

DAYS = st.dates(date(1000, 1, 1), date(8000, 12, 31))
MONTHS = st.integers(-2000, 2000)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 3, 31), 0, date(2026, 3, 1)),
        (date(2026, 1, 31), 1, date(2026, 2, 1)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 1, 1), -1, date(2025, 12, 1)),
        (date(2026, 3, 4), -12, date(2025, 3, 1)),
        (date(2026, 3, 4), 24, date(2028, 3, 1)),
    ],
)
def test_a_month_is_counted_from_its_first_day(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


@unhurried
@given(DAYS, MONTHS, MONTHS)
def test_months_add_up(day: date, some: int, more: int) -> None:
    assert add_months(add_months(day, some), more) == add_months(day, some + more)


@unhurried
@given(DAYS, DAYS)
def test_names_sort_as_months_do(one: date, other: date) -> None:
    names = [partition_name("t", day) for day in (one, other)]
    assert (names[0] < names[1]) == ((one.year, one.month) < (other.year, other.month))


def test_a_name_says_its_table_and_month() -> None:
    assert partition_name("wtb_outbox", date(2026, 3, 1)) == "wtb_outbox_y2026m03"
