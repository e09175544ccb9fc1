"""`wtb batch gate`, and the gate of `wtb batch run`: an exit code for continuous integration."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from wtb_async.cli.console import ExitCode, expected_errors, print_json, stdout
from wtb_async.cli.judgement import Judgement, worst_first
from wtb_async.cli.junit_report import junit_report
from wtb_async.cli.markdown_report import markdown_report
from wtb_async.cli.report_files import make_room_for, write_report
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.gate.gate import Gate, GateReport, Outcome
from wtb_async.sdk.batch_models import BatchTest
from wtb_async.sdk.client import WTBClient

FailIf = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CONDITION",
        help='"hit_at_k < 0.8", "p95(latency) > 500", "[retriever=bm25] failures > 0"; '
        "may be given several times.",
    ),
]
WorseThan = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if-worse-than",
        metavar="COMBINATION | ID",
        help="retriever=bm25, or another batch test; may be given several times.",
    ),
]
Scores = Annotated[
    list[str] | None,
    typer.Option(
        "--on",
        metavar="SCORE",
        help="Worse on this score; on any but latency when left out. May be given several times.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Fail where there is doubt, too.")]
Junit = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a JUnit report.")]
Markdown = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a report; into $GITHUB_STEP_SUMMARY, add it."),
]

_STYLES = {Outcome.FAILED: "red", Outcome.DOUBTFUL: "yellow", Outcome.PASSED: "green"}


@dataclass(frozen=True, kw_only=True)
class GateOptions:
    """A gate as it was written on the command line, and where to report what it found."""

    fail_if: tuple[str, ...] = ()
    worse_than: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    strict: bool = False
    junit: Path | None = None
    markdown: Path | None = None

    def __bool__(self) -> bool:
        return self != GateOptions()

    def check(self) -> None:
        """Raise a usage error for what cannot be read or written."""
        try:
            Gate.read(fail_if=self.fail_if, worse_than=self.worse_than)
        except InvalidInput as error:
            raise typer.BadParameter(error.violations[0].message) from error
        with expected_errors():
            for path in filter(None, (self.junit, self.markdown)):
                make_room_for(path)


def judge_batch(
    batch_id: Annotated[str, typer.Argument(help="Id of a batch test that has ended.")],
    *,
    fail_if: FailIf = None,
    worse_than: WorseThan = None,
    scores: Scores = None,
    strict: Strict = False,
    junit: Junit = None,
    markdown: Markdown = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """End with 1 unless a batch test is good enough."""
    gate = gate_options(fail_if, worse_than, scores, strict=strict, junit=junit, markdown=markdown)

    async def command(client: WTBClient) -> None:
        report = await judge(client, await client.batch_tests.get(batch_id), gate)
        if as_json:
            print_json(asdict(report))
        else:
            print_gate(stdout(), report)
        if not report.passed:
            raise typer.Exit(ExitCode.FAILED)

    call(data_dir, command)


def gate_options(
    fail_if: list[str] | None,
    worse_than: list[str] | None,
    scores: list[str] | None,
    *,
    strict: bool,
    junit: Path | None,
    markdown: Path | None,
) -> GateOptions:
    """Read the options of a gate. Raises a usage error, before anything is submitted."""
    options = GateOptions(
        fail_if=tuple(fail_if or ()),
        worse_than=tuple(worse_than or ()),
        scores=tuple(scores or ()),
        strict=strict,
        junit=junit,
        markdown=markdown,
    )
    options.check()
    return options


async def find_rivals(client: WTBClient, gate: GateOptions) -> None:
    """Look for the batch tests that a gate names: one that is not there should cost no run."""
    for rival in Gate.read(worse_than=gate.worse_than).worse_than:
        if isinstance(rival, UUID):
            await client.batch_tests.get(rival)


async def judge(client: WTBClient, batch: BatchTest, gate: GateOptions) -> GateReport:
    """Hold the gate against a batch test that has ended, and write the reports."""
    report = await client.batch_tests.gate(
        batch.id,
        fail_if=gate.fail_if,
        worse_than=gate.worse_than,
        scores=gate.scores,
        strict=gate.strict,
    )
    if gate.junit or gate.markdown:
        failed = client.batch_tests.results(batch.id, status=ExecutionStatus.FAILED)
        judged = Judgement(
            batch=batch,
            report=report,
            comparison=await client.batch_tests.comparison(batch.id),
            failed=[row async for row in failed],
        )
        _write(judged, gate)
    return report


def _write(judged: Judgement, gate: GateOptions) -> None:
    if gate.junit:
        write_report(gate.junit, junit_report(judged))
    if gate.markdown:
        write_report(gate.markdown, markdown_report(judged).encode())


def print_gate(console: Console, report: GateReport) -> None:
    """Print what failed, what is doubtful, the conditions that passed, and the outcome."""
    for outcome, condition, about, message in worst_first(report):
        parts = (f"{outcome:<8}  fail if {condition}", about, message)
        line = ": ".join(filter(None, parts))
        console.print(line, style=_STYLES[outcome], markup=False, soft_wrap=True)
    outcome = Outcome.PASSED if report.passed else Outcome.FAILED
    console.print(f"gate: {outcome}", style=f"bold {_STYLES[outcome]}")
