"""Calls of evaluators end: in time, after few attempts, and not too many at once."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from wtb_async.infrastructure.evaluation.calling import CallOptions, EvaluatorCaller, TookTooLong
from wtb_async.infrastructure.evaluation.offers import Offer
from wtb_async.infrastructure.evaluation.retrying import passes_by_itself
from wtb_async.infrastructure.evaluation.threads import TooManyHang

NOTHING = Offer(named={}, pair=(None, None))


@pytest.fixture
def waits() -> Iterator[Callable[[], str]]:
    """An evaluator that hangs until the test ends."""
    over = threading.Event()

    def wait() -> str:
        over.wait()
        return "late"

    yield wait
    over.set()


async def test_an_evaluator_that_hangs_is_left_behind_and_soon_not_called_any_more(
    waits: Callable[[], str],
) -> None:
    caller = EvaluatorCaller(CallOptions(timeout_seconds=0.05))
    for _ in range(4):
        with pytest.raises(TookTooLong, match=r"it took longer than 0.05 s"):
            await caller.call("hangs", waits, NOTHING)
    with pytest.raises(TooManyHang, match="4 earlier calls hang"):
        await caller.call("hangs", waits, NOTHING)
    assert await caller.call("another", lambda: "fine", NOTHING) == "fine"


async def test_calls_that_hang_side_by_side_count_together(waits: Callable[[], str]) -> None:
    caller = EvaluatorCaller(CallOptions(timeout_seconds=0.05, concurrency=4))
    calls = [caller.call("hangs", waits, NOTHING) for _ in range(4)]
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(end) for end in ends] == [TookTooLong] * 4
    with pytest.raises(TooManyHang):
        await caller.call("hangs", waits, NOTHING)


async def test_an_async_evaluator_that_hangs_is_cancelled() -> None:
    caller = EvaluatorCaller(CallOptions(timeout_seconds=0.05))

    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TookTooLong):
        await caller.call("hangs", wait, NOTHING)


class Busy(Exception):
    status_code = 429


async def test_a_busy_service_is_asked_again_and_a_mistake_is_not() -> None:
    calls: list[str] = []

    async def busy_once() -> str:
        calls.append("busy")
        if len(calls) == 1:
            raise Busy
        return "fine"

    def mistaken() -> None:
        calls.append("mistaken")
        raise LookupError("no such field")

    caller = EvaluatorCaller(CallOptions(attempts=2))
    assert await caller.call("busy", busy_once, NOTHING) == "fine"
    with pytest.raises(LookupError):
        await caller.call("mistaken", mistaken, NOTHING)
    assert calls == ["busy", "busy", "mistaken"]


async def test_a_service_that_stays_busy_is_given_up() -> None:
    calls: list[int] = []

    def busy() -> None:
        calls.append(1)
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        await EvaluatorCaller(CallOptions(attempts=2)).call("busy", busy, NOTHING)
    assert len(calls) == 2


def test_errors_of_http_clients_pass_by_themselves_by_their_names() -> None:
    class TransportError(Exception):
        """As httpx calls it."""

    class ReadTimeout(TransportError):
        pass

    assert passes_by_itself(ReadTimeout())
    assert passes_by_itself(TimeoutError())
    assert not passes_by_itself(ValueError())
    answered = ValueError()
    answered.response = type("Response", (), {"status_code": 503})()  # type: ignore[attr-defined]
    assert passes_by_itself(answered)


async def test_no_more_evaluators_are_under_way_than_wanted() -> None:
    caller = EvaluatorCaller(CallOptions(concurrency=2))
    under_way = 0
    most = 0

    async def count() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    await asyncio.gather(*(caller.call("count", count, NOTHING) for _ in range(10)))
    assert most == 2
