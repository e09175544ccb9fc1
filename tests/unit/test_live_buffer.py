"""Live events on their way to Redis: numbered without gaps, bounded, the oldest give way."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from wtb_async.infrastructure.redis.live_buffer import LiveBuffer

ROOM = 10


def put(buffer: LiveBuffer, *numbers: int) -> None:
    for number in numbers:
        buffer.put("CustomStreamed", b"%02d" % number)


def shown(buffer: LiveBuffer, limit: int = 100) -> list[tuple[int, str]]:
    return [(number, entry.data.decode()) for number, entry in buffer.batch(limit)]


def test_events_are_numbered_from_one_in_their_order() -> None:
    buffer = LiveBuffer(ROOM)
    put(buffer, 1, 2, 3)
    assert shown(buffer, 2) == [(1, "01"), (2, "02")]
    buffer.confirm(2)
    assert shown(buffer) == [(3, "03")]


def test_the_same_events_go_again_until_they_have_arrived() -> None:
    buffer = LiveBuffer(ROOM)
    put(buffer, 1, 2, 3)
    first = shown(buffer, 2)
    put(buffer, 4)
    assert shown(buffer, 2) == first
    buffer.confirm(1)
    assert shown(buffer, 2) == first[1:]


def test_what_does_not_fit_is_counted_where_it_would_have_stood() -> None:
    buffer = LiveBuffer(ROOM)
    put(buffer, 1)
    assert shown(buffer) == [(1, "01")]
    put(buffer, *range(2, 10))
    buffer.confirm(1)
    assert shown(buffer)[0] == (2, '{"count":3}')
    assert shown(buffer)[1:] == [(n, f"{n + 2:02}") for n in range(3, 8)]
    assert buffer.batch(1)[0][1].type == "EventsDropped"


def test_a_single_event_fits_however_large_it_is() -> None:
    buffer = LiveBuffer(ROOM)
    buffer.put("CustomStreamed", b"x" * 100)
    assert len(buffer) == 1
    assert shown(buffer) == [(1, "x" * 100)]


@given(st.lists(st.sampled_from(["put", "send", "arrive"]), max_size=60))
def test_numbers_have_no_gaps_and_every_event_is_sent_or_counted(steps: list[str]) -> None:
    buffer = LiveBuffer(ROOM)
    arrived: list[tuple[int, str]] = []
    given_ = 0
    for step in [*steps, "send", "arrive", "send", "arrive"]:
        if step == "put":
            put(buffer, given_)
            given_ += 1
        elif step == "send":
            buffer.batch(4)
        elif buffer.numbered:
            arrived += [each for each in shown(buffer, 4) if each not in arrived]
            buffer.confirm(buffer.numbered)
    while rest := shown(buffer, 4):
        arrived += rest
        buffer.confirm(rest[-1][0])
    assert [number for number, _ in arrived] == list(range(1, len(arrived) + 1))
    dropped = [orjson.loads(data)["count"] for _, data in arrived if data.startswith("{")]
    events = [int(data) for _, data in arrived if not data.startswith("{")]
    assert events == sorted(set(events))
    assert len(events) + sum(dropped) == given_
    assert len(buffer) == 0
