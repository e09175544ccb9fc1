"""`wtb db`: the database's schema."""

import os

import typer

from wtb_async.cli.console import expected_errors, stdout
from wtb_async.domain.errors import WtbError


def register(app: typer.Typer) -> None:
    """Add `wtb db`."""
    db = typer.Typer(help="The database's schema.", no_args_is_help=True)
    db.callback()(lambda: None)
    db.command("upgrade")(upgrade)
    app.add_typer(db, name="db")


class NoDatabase(WtbError):
    """Nobody said which database."""

    code = "no_database"


def upgrade() -> None:
    """Bring the database named by WTB_DATABASE_URL to the newest schema.

    Safe to run from many machines at once: one migrates, the others wait.
    """
    with expected_errors():
        url = os.environ.get("WTB_DATABASE_URL")
        if not url:
            raise NoDatabase("set WTB_DATABASE_URL to postgresql://user:password@host/database")
        _upgrade(url)
        stdout().print("The database has the newest schema.")


def _upgrade(url: str) -> None:
    # Alembic takes half a second to import, and `wtb --help` does without it.
    from wtb_async.bootstrap.database import prepare_database  # noqa: PLC0415

    prepare_database(url)
