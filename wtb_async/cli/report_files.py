"""Reports on disk: whole or not at all."""

import os
from pathlib import Path

from wtb_async.domain.errors import WtbError

_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


class ReportNotWritten(WtbError):
    """A report cannot be written where it was asked for."""

    code = "report_not_written"


def make_room_for(path: Path) -> None:
    """Make the folder of a report, so that a wrong path is noticed before anything runs.

    Raises:
        ReportNotWritten: it cannot be made, or is not to be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportNotWritten(f"cannot write {path}: {error}") from error
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise ReportNotWritten(f"cannot write {path}: name a file in a folder of yours")


def write_report(path: Path, content: bytes) -> None:
    """Write a report in place of what is there, or after it in the summary of a GitHub job.

    Raises:
        ReportNotWritten: the disk does not take it.
    """
    try:
        if _is_step_summary(path):
            with path.open("ab") as summary:
                summary.write(content)
        else:
            part = path.with_name(f"{path.name}.part")
            part.write_bytes(content)
            part.replace(path)
    except OSError as error:
        raise ReportNotWritten(f"cannot write {path}: {error}") from error


def _is_step_summary(path: Path) -> bool:
    """Steps of a job share this file; what others have written must stay."""
    summary = os.environ.get(_STEP_SUMMARY)
    return summary is not None and path.resolve() == Path(summary).resolve()
