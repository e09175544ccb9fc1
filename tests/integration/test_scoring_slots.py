"""Scorers take turns, and what one of them leaves undone is come back for once."""

from redis.asyncio import Redis

from wtb_async.application.ids import new_id
from wtb_async.infrastructure.redis.scoring_slots import SLOTS, ScoringSlots


async def test_no_more_scorers_work_than_there_are_slots(redis: Redis) -> None:
    slots = ScoringSlots(redis, 2)
    async with slots.one() as first, slots.one() as second:
        async with slots.one() as third:
            assert (first, second, third) == (True, True, False)
        async with slots.one() as fourth:
            assert not fourth, "the third had none to give back"
    async with slots.one() as again:
        assert again


async def test_the_slot_of_a_scorer_that_died_comes_free(redis: Redis) -> None:
    slots = ScoringSlots(redis, 1)
    seconds, _ = await redis.time()
    await redis.zadd(SLOTS, {"a scorer that died": seconds - 1})
    async with slots.one() as free:
        assert free
    await redis.zadd(SLOTS, {"a scorer at work": seconds + 60})
    async with slots.one() as free:
        assert not free


async def test_one_waits_for_each_batch(redis: Redis) -> None:
    slots = ScoringSlots(redis, 1)
    batch, other = new_id(), new_id()
    assert await slots.begin_to_wait(batch)
    assert not await slots.begin_to_wait(batch)
    assert await slots.begin_to_wait(other)
    await slots.end_to_wait(batch)
    assert await slots.begin_to_wait(batch)
