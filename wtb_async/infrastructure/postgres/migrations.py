"""Brings a database to the newest revision."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from wtb_async.infrastructure.postgres.tables import PARTITIONED

MIGRATION_LOCK = 0x77746220
"""Key of the advisory lock under which migrations run."""

_CHECKPOINT_TABLES = {
    "checkpoints",
    "checkpoint_blobs",
    "checkpoint_writes",
    "checkpoint_migrations",
}


def is_ours(name: str | None, type_: str, _parents: object) -> bool:
    """Tell Alembic's comparison what to look at.

    LangGraph's tables are its own, and the partitions of a table come and go by the month.
    """
    if type_ != "table" or name is None:
        return True
    is_partition = any(name.startswith(f"{table}_") for table in PARTITIONED)
    return name not in _CHECKPOINT_TABLES and not is_partition


def migration_config(database_url: str) -> Config:
    """Alembic's configuration for this database.

    Args:
        database_url: any `postgresql://` address.
    """
    config = Config()
    config.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def upgrade_database(database_url: str, revision: str = "head") -> None:
    """Migrate up to `revision`. Safe to call from many processes at once."""
    command.upgrade(migration_config(database_url), revision)


def _scripts() -> Path:
    return Path(__file__).parents[3] / "alembic"
