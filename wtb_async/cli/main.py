"""`wtb`: the command line."""

import typer

from wtb_async.cli import (
    audit,
    batch,
    datasets,
    db,
    demo,
    executions,
    files,
    integrity,
    outbox,
    parity,
    run,
    stack,
    workflows,
)

app = typer.Typer(
    name="wtb",
    help="Find out which version of your LangGraph agent is better, and why.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
for noun in (
    *(stack, demo, run, batch, parity, datasets, executions, files, workflows),
    *(audit, outbox, integrity, db),
):
    noun.register(app)

if __name__ == "__main__":
    app()
