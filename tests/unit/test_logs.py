"""Log entries in a program that is not ours."""

from collections.abc import Iterator

import pytest
import structlog

from wtb_async.infrastructure.telemetry.logs import pass_logs_to_host


@pytest.fixture(autouse=True)
def structlog_as_it_was() -> Iterator[None]:
    before, was_configured = structlog.get_config(), structlog.is_configured()
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    if was_configured:
        structlog.configure(**before)


def test_entries_go_to_python_s_logging(caplog: pytest.LogCaptureFixture) -> None:
    pass_logs_to_host()
    structlog.get_logger("wtb_async.somewhere").warning("runs_wait", workflows=["rag"])
    [record] = caplog.records
    assert (record.name, record.levelname) == ("wtb_async.somewhere", "WARNING")
    assert record.message == "event='runs_wait' workflows=['rag']"


def test_a_program_that_has_set_structlog_up_is_left_alone() -> None:
    structlog.configure(processors=[])
    pass_logs_to_host()
    assert structlog.get_config()["processors"] == []
