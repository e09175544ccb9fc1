"""Walks and differences of file commits, on real chains."""

import asyncio
from collections.abc import Iterator
from itertools import product

from file_history import file_of, keep_manifests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wtb_async.application.ids import new_id
from wtb_async.domain.file_commit import Manifest
from wtb_async.domain.file_difference import FileDifference, difference_at
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.infrastructure.postgres.queries.committed_files import PostgresCommittedFiles
from wtb_async.settings import asyncpg_url

paths = st.sampled_from(["a", "a b", "a/b", "a/c", "ab", "é", "Z", "\U0010ffff"])
mementos = st.builds(file_of, st.sampled_from(["one", "two"]), mode=st.sampled_from([0o600, 0o644]))
histories = st.lists(st.dictionaries(paths, mementos), min_size=1, max_size=5)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories, at_once=st.integers(1, 4), after=paths | st.just(""))
def test_walks_and_differences_are_those_of_whole_manifests(
    database_url: str, history: list[Manifest], at_once: int, after: str
) -> None:
    asyncio.run(_keep_and_compare(database_url, history, at_once, after))


async def _keep_and_compare(url: str, history: list[Manifest], at_once: int, after: str) -> None:
    database = open_database(asyncpg_url(url), pool_size=2, application_name="test")
    files = PostgresCommittedFiles(database.engine)
    try:
        commits = await keep_manifests(database.unit_of_work(), *history)
        for commit, manifest in zip(commits, history, strict=True):
            for prefix in ("", "a", "a/"):
                walk = files.walk(commit, prefix=prefix, after=after, at_once=at_once)
                assert [each async for each in walk] == [
                    (path, manifest[path])
                    for path in sorted(manifest)
                    if path.startswith(prefix) and path > after
                ]
        sides = [(None, {}), *zip(commits, history, strict=True)]
        for (before_id, before), (after_id, later) in product(sides, sides):
            found = files.differences(before_id, after_id, after=after, at_once=at_once)
            assert [each async for each in found] == [
                each for each in differences(before, later) if each.path > after
            ]
    finally:
        await database.close()


def differences(before: Manifest, after: Manifest) -> Iterator[FileDifference]:
    for path in sorted(before.keys() | after.keys()):
        if found := difference_at(path, before.get(path), after.get(path)):
            yield found


async def test_differences_can_be_those_of_some_paths(database: Database) -> None:
    names = ["a", "a/b", "ab", "b%", "b_/c", "bx/c"]
    [commit] = await keep_manifests(database.unit_of_work(), {name: file_of("x") for name in names})
    files = PostgresCommittedFiles(database.engine)
    for wanted, expected in ((["a"], ["a", "a/b"]), (["b_", "b%"], ["b%", "b_/c"]), (["c"], [])):
        found = files.differences(None, commit, paths=wanted, at_once=1)
        assert [each.path async for each in found] == expected


async def test_what_is_no_commit_has_no_paths(database: Database) -> None:
    files = PostgresCommittedFiles(database.engine)
    assert [each async for each in files.walk(None)] == []
    assert [each async for each in files.walk(new_id())] == []
