"""Log files of the parts."""

from pathlib import Path

_TAIL_BYTES = 16_384


def last_lines(log: Path, count: int = 20) -> str:
    """The end of a log file; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-count:])
