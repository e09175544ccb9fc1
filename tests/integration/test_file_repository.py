"""File commits in Postgres: changes in, manifests out."""

import asyncio
from uuid import UUID

import pytest
from file_history import file_of, keep_manifests, manifest_of
from forking import begin_thread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wtb_async.application.ids import new_id
from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.errors import NotFound
from wtb_async.domain.file_commit import FileKind, FileMemento, Manifest
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.settings import asyncpg_url

FIRST, SECOND, THIRD = sorted(f"1f0e7a00-0000-6000-8000-00000000000{n}" for n in range(3))


@pytest.fixture
def uow(database: Database) -> UnitOfWork:
    return database.unit_of_work()


async def test_every_kind_of_path_comes_back_as_it_was(uow: UnitOfWork) -> None:
    manifest = {
        "a/b.txt": file_of("text", mode=0o755),
        "a/link": FileMemento(kind=FileKind.SYMLINK, mode=0o777, mtime_ns=7, target="b.txt"),
        "empty": FileMemento(kind=FileKind.DIRECTORY, mode=0o700, mtime_ns=2**60),
    }
    [commit_id, nothing] = await keep_manifests(uow, manifest, {})
    async with uow:
        assert await uow.files.manifest(commit_id) == manifest
        assert await uow.files.manifest(nothing) == {}
        with pytest.raises(NotFound):
            await uow.files.manifest(new_id())


async def test_a_checkpoint_has_the_files_of_the_nearest_earlier_link(
    database: Database, uow: UnitOfWork
) -> None:
    thread = await begin_thread(database)
    one, two = await keep_manifests(uow, manifest_of(a="one"), manifest_of(a="two"))
    async with uow:
        assert await uow.files.commit_at(thread, FIRST) is None
        assert await uow.files.commit_of_head(thread) is None
        await uow.files.link(thread, SECOND, one)
        assert await uow.files.commit_at(thread, FIRST) is None
        assert await at(uow, thread, THIRD) == one
        await uow.files.link(thread, THIRD, two)
        assert [await at(uow, thread, each) for each in (SECOND, THIRD)] == [one, two]


async def test_a_link_made_again_is_the_newest(database: Database, uow: UnitOfWork) -> None:
    thread = await begin_thread(database)
    one, two = await keep_manifests(uow, manifest_of(a="one"), manifest_of(a="two"))
    async with uow:
        await uow.files.link(thread, FIRST, one)
        await uow.files.link(thread, SECOND, one)
        await uow.files.link(thread, FIRST, two)
        head = await uow.files.commit_of_head(thread)
        assert head is not None
        assert head.id == two
        assert await at(uow, thread, SECOND) == one


async def at(uow: UnitOfWork, thread: UUID, checkpoint_id: str) -> UUID | None:
    commit = await uow.files.commit_at(thread, checkpoint_id)
    return commit.id if commit else None


paths = st.sampled_from(["a", "a/b", "é", "Z"])
mementos = st.builds(file_of, st.sampled_from(["one", "two"]), mode=st.sampled_from([0o600, 0o644]))
histories = st.lists(st.dictionaries(paths, mementos), min_size=1, max_size=6)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories)
def test_a_manifest_is_the_replay_of_all_changes(
    database_url: str, history: list[Manifest]
) -> None:
    asyncio.run(_keep_and_read(database_url, history))


async def _keep_and_read(url: str, history: list[Manifest]) -> None:
    database = open_database(asyncpg_url(url), pool_size=2, application_name="test")
    try:
        uow = database.unit_of_work()
        commits = await keep_manifests(uow, *history)
        async with uow:
            assert [await uow.files.manifest(each) for each in commits] == history
    finally:
        await database.close()
