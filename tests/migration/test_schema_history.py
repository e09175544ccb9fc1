"""The history of the schema leads up, down and up again, and ends where the code stands."""

import os
import subprocess
import sys

import pytest
from alembic import command
from alembic.util.exc import CommandError
from schema_catalogue import everything_in, query, run, schema_of

from wtb_async.infrastructure.postgres.migrations import migration_config, upgrade_database


def test_up_down_and_up_again_ends_where_it_was(empty_database_url: str) -> None:
    upgrade_database(empty_database_url)
    first = schema_of(empty_database_url), everything_in(empty_database_url)
    command.downgrade(migration_config(empty_database_url), "base")
    upgrade_database(empty_database_url)
    assert (schema_of(empty_database_url), everything_in(empty_database_url)) == first


@pytest.mark.parametrize("with_partitions", [True, False])
def test_base_leaves_nothing_behind_but_alembics_own_empty_table(
    with_partitions: bool, request: pytest.FixtureRequest
) -> None:
    url: str = request.getfixturevalue("database_url" if with_partitions else "empty_database_url")
    upgrade_database(url)
    command.downgrade(migration_config(url), "base")
    assert everything_in(url) == {
        "relations": [("alembic_version", "r"), ("alembic_version_pkc", "i")],
        "types": [("_alembic_version",), ("alembic_version",)],
        "functions": [],
    }
    assert query(url, "SELECT * FROM alembic_version") == []


def test_migrating_a_database_of_the_newest_schema_changes_nothing(database_url: str) -> None:
    before = schema_of(database_url), everything_in(database_url)
    upgrade_database(database_url)
    assert (schema_of(database_url), everything_in(database_url)) == before


def test_the_newest_schema_is_the_one_that_the_code_describes(database_url: str) -> None:
    command.check(migration_config(database_url))


@pytest.mark.parametrize(
    ("drift", "found"),
    [
        ("ALTER TABLE wtb_runs RENAME COLUMN attempt TO priority", "priority"),
        ("ALTER TABLE wtb_runs ALTER COLUMN attempt TYPE text", "modify_type"),
        ("ALTER TABLE wtb_runs ALTER COLUMN attempt DROP NOT NULL", "modify_nullable"),
        ("DROP INDEX wtb_runs_pending_idx", "wtb_runs_pending_idx"),
        ("CREATE TABLE wtb_forgotten (id integer)", "wtb_forgotten"),
    ],
)
def test_a_schema_that_drifts_does_not_go_unseen(database_url: str, drift: str, found: str) -> None:
    run(database_url, drift)
    with pytest.raises(CommandError, match=f"New upgrade operations detected: .*{found}"):
        command.check(migration_config(database_url))


def test_the_alembic_command_finds_the_same_history(database_url: str) -> None:
    environment = os.environ | {"WTB_DATABASE_URL": database_url}
    for verb in ("current", "check"):
        done = subprocess.run(
            [sys.executable, "-m", "alembic", verb],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert ("(head)" if verb == "current" else "No new upgrade operations") in done.stdout
