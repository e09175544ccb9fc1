"""`wtb` in this process."""

from typer.testing import CliRunner, Result

from wtb_async.cli.main import app


def wtb(*arguments: str) -> Result:
    """Run one command line."""
    return CliRunner().invoke(app, arguments)
