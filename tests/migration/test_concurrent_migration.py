"""Many processes may boot on one empty database at once."""

import os
import subprocess
import sys

from alembic import command
from schema_catalogue import query, schema_of

from wtb_async.infrastructure.postgres.migrations import migration_config

PROCESSES = 8
UPGRADE = [sys.executable, "-m", "wtb_async.cli.main", "db", "upgrade"]


def test_eight_processes_that_migrate_at_once_all_succeed(
    empty_database_url: str, database_url: str
) -> None:
    environment = os.environ | {"WTB_DATABASE_URL": empty_database_url}
    processes = [
        subprocess.Popen(
            UPGRADE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(PROCESSES)
    ]
    said = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES, said
    assert all("newest schema" in each for each in said)
    command.check(migration_config(empty_database_url))
    assert schema_of(empty_database_url) == schema_of(database_url)
    assert query(empty_database_url, "SELECT count(*) FROM alembic_version") == [(1,)]
