"""`wtb outbox`: what waits to be relayed, and what was given up."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from wtb_async.cli.console import print_fields, print_json, stdout
from wtb_async.cli.execution_views import moment
from wtb_async.cli.listing import first, page_size
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.outbox import DeadLetter, OutboxStats


def register(app: typer.Typer) -> None:
    """Add `wtb outbox`."""
    outbox = typer.Typer(help="Events on their way out.", no_args_is_help=True)
    outbox.command("stats")(show_stats)
    outbox.command("dead-letters")(list_dead_letters)
    outbox.command("replay")(replay)
    app.add_typer(outbox, name="outbox")


def show_stats(as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show how many events wait, how many leave, and how many were given up."""

    async def command(client: WTBClient) -> None:
        stats = await client.outbox.stats()
        if as_json:
            print_json(stats.model_dump(mode="json"))
        else:
            _print(stats)

    call(data_dir, command)


def list_dead_letters(
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List events that could not be delivered, newest first."""

    async def command(client: WTBClient) -> None:
        found = await first(limit, client.outbox.dead_letters(page_size=page_size(limit)))
        if as_json:
            print_json([each.model_dump(mode="json") for each in found])
        else:
            stdout().print(_table(found))

    call(data_dir, command)


def replay(
    dead_letter: Annotated[int, typer.Argument(help="Number of the dead letter.", min=1)],
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Have a dead letter delivered after all."""

    async def command(client: WTBClient) -> None:
        event = await client.outbox.replay(dead_letter)
        if as_json:
            print_json(event.model_dump(mode="json"))
        else:
            stdout().print(f"{event.type} {event.id} is on its way", markup=False)

    call(data_dir, command)


def _print(stats: OutboxStats) -> None:
    age = stats.oldest_open_ms
    oldest = "" if age is None else f"{age / 1000:.1f} s old"
    print_fields(stdout(), {"oldest": oldest, "last minute": f"{stats.sent_per_minute} sent"})
    table = Table("type", "open", "claimed", "sent", "dead", box=None)
    for name, counts in [*stats.by_type.items(), ("all", stats)]:
        numbers = (counts.open, counts.claimed, counts.sent_per_minute, counts.dead_letters)
        table.add_row(name, *map(str, numbers))
    stdout().print(table)


def _table(dead_letters: list[DeadLetter]) -> Table:
    table = Table("number", "type", "target", "attempts", "given up", "error", box=None)
    for each in dead_letters:
        given_up = moment(each.dead_at) if each.dead_at else ""
        target = f"{each.target_type} {each.target_id}"
        error = escape(each.last_error)
        table.add_row(str(each.id), each.type, target, str(each.attempts), given_up, error)
    return table
