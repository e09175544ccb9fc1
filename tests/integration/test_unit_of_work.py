"""The unit of work: all or nothing, visible only afterwards, errors in the domain's words."""

import pytest
from arranging import change, new_workflow, register, select

from wtb_async.application.workflows.changes import registration_of
from wtb_async.domain.errors import AlreadyExists, NotFound, TransientError
from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.postgres.database import Database, open_database

NAMES = "SELECT name FROM wtb_workflows"
EVENTS = "SELECT type FROM wtb_outbox"


async def names(database: Database) -> list[str]:
    return [row["name"] for row in await select(database, NAMES)]


async def test_what_was_committed_lasts(database: Database) -> None:
    workflow = await register(database.unit_of_work)
    async with database.unit_of_work() as uow:
        found = await uow.workflows.get("letters")
    assert found.id == workflow.id
    assert [variant.name for variant in found.node_variants] == ["loud"]


async def test_nothing_is_visible_before_the_commit(database: Database) -> None:
    async with database.unit_of_work() as uow:
        uow.workflows.add(workflow := new_workflow())
        uow.journal.record(*registration_of(workflow))
        assert await uow.workflows.find("other") is None
        assert await names(database) == []
        await uow.commit()
    assert await names(database) == ["letters"]
    assert [row["type"] for row in await select(database, EVENTS)] == ["WorkflowRegistered"]


async def test_leaving_without_commit_rolls_back(database: Database) -> None:
    async with database.unit_of_work() as uow:
        uow.workflows.add(workflow := new_workflow())
        uow.journal.record(*registration_of(workflow))
        assert await uow.workflows.find("other") is None
    assert await names(database) == []
    assert await select(database, EVENTS) == []


async def test_a_change_of_a_loaded_aggregate_is_rolled_back_too(database: Database) -> None:
    await register(database.unit_of_work)
    async with database.unit_of_work() as uow:
        (await uow.workflows.get("letters", for_update=True)).description = "changed"
    async with database.unit_of_work() as uow:
        assert (await uow.workflows.get("letters")).description == ""


async def test_an_exception_rolls_back_and_goes_on(database: Database) -> None:
    async def fail_halfway() -> None:
        async with database.unit_of_work() as uow:
            uow.workflows.add(new_workflow())
            await uow.workflows.find("other")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_halfway()
    assert await names(database) == []


async def test_a_failed_commit_leaves_neither_aggregate_nor_event(database: Database) -> None:
    await register(database.unit_of_work)
    async with database.unit_of_work() as uow:
        uow.workflows.add(twin := new_workflow())
        uow.journal.record(*registration_of(twin))
        with pytest.raises(AlreadyExists):
            await uow.commit()
    assert await names(database) == ["letters"]
    assert await select(database, EVENTS) == []


async def test_a_taken_name_is_named(database: Database) -> None:
    await register(database.unit_of_work)
    with pytest.raises(AlreadyExists, match="workflow 'letters' exists already"):
        await register(database.unit_of_work)


async def test_an_object_that_does_not_exist_is_not_found(database: Database) -> None:
    async with database.unit_of_work() as uow:
        with pytest.raises(NotFound, match="no workflow 'nobody'"):
            await uow.workflows.get("nobody")


async def test_a_database_that_is_away_is_a_transient_error() -> None:
    away = open_database(
        f"postgresql+asyncpg://wtb:secret@127.0.0.1:{free_port()}/wtb",
        pool_size=1,
        application_name="test",
    )
    with pytest.raises(TransientError):
        async with away.unit_of_work() as uow:
            await uow.workflows.get("letters")
    with pytest.raises(TransientError):
        await register(away.unit_of_work)
    await away.close()


async def test_no_free_connection_is_a_transient_error(database_url: str) -> None:
    full = open_database(
        database_url.replace("postgresql", "postgresql+asyncpg"),
        pool_size=1,
        application_name="test",
    )
    full.engine.pool._timeout = 0.1  # type: ignore[attr-defined]  # the test need not wait 10 s
    async with full.engine.connect():
        with pytest.raises(TransientError):
            async with full.unit_of_work() as uow:
                await uow.workflows.get("letters")
    await full.close()


async def test_a_terminated_backend_is_a_transient_error_and_the_next_one_works(
    database: Database, database_url: str
) -> None:
    await register(database.unit_of_work)
    killer = open_database(
        database_url.replace("postgresql", "postgresql+asyncpg"),
        pool_size=1,
        application_name="killer",
    )
    async with database.unit_of_work() as uow:
        await uow.workflows.get("letters")
        await change(killer, TERMINATE_OTHERS)
        uow.workflows.add(new_workflow("other"))
        with pytest.raises(TransientError):
            await uow.commit()
    await killer.close()
    async with database.unit_of_work() as uow:
        assert await uow.workflows.find("other") is None


TERMINATE_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'test'
"""
