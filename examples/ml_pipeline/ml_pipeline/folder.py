"""The run's own folder, where steps leave what people want to look at.

Outside of WTB there is none, and nothing is written.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from langchain_core.runnables import RunnableConfig


def write_table(
    config: RunnableConfig | None,
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
) -> None:
    """Leave a table as CSV."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(header)
    lines.writerows(rows)
    write_text(config, name, text.getvalue())


def write_json(config: RunnableConfig | None, name: str, value: object) -> None:
    """Leave a value as JSON."""
    write_text(config, name, json.dumps(value, indent=2) + "\n")


def write_text(config: RunnableConfig | None, name: str, text: str) -> None:
    """Leave a text, in place of an earlier one of this name."""
    workspace = (config or {}).get("configurable", {}).get("wtb_workspace")
    if workspace is not None:
        Path(workspace, name).write_text(text, encoding="utf-8")
