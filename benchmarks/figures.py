"""What was measured, and how people see it."""

import statistics
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from stack_processes import NOT_OURS

MILLISECONDS = 1000


@dataclass
class Throughput:
    """One stack in turns with its baselines; rates in runs per second, one entry per round."""

    runners: int
    runs: int
    baseline_runs: int
    """Fewer: a baseline's rate does not depend on their number, and they take long."""
    wtb: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    accept_ms: list[float] = field(default_factory=list)
    graph_alone_ms: list[float] = field(default_factory=list)
    """CPU per run of the graph on the group-commit saver without anything around it."""
    bare_cpu_seconds: float = 0.0
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    """Of the stack in all rounds, by kind of process."""
    peak_memory_mb: float = 0.0

    def add_cpu(self, before: dict[str, float], after: dict[str, float]) -> None:
        """Count what the stack used between two looks."""
        for kind, seconds in after.items():
            used = seconds - before.get(kind, 0.0)
            self.cpu_seconds[kind] = self.cpu_seconds.get(kind, 0.0) + used

    @property
    def ratio(self) -> float:
        """How many times the rate of bare LangGraph, in the middle of the rounds."""
        return statistics.median(a / b for a, b in zip(self.wtb, self.bare, strict=True))

    @property
    def bare_cpu_ms(self) -> float:
        """CPU per run of bare LangGraph."""
        return self.bare_cpu_seconds / (self.baseline_runs * len(self.bare)) * MILLISECONDS

    @property
    def own_cost_ms(self) -> float:
        """CPU per run that claims, settling, boundaries and events add to a runner's graphs."""
        return self.cpu_ms("runners") - statistics.median(self.graph_alone_ms)

    def cpu_ms(self, kind: str) -> float:
        """CPU per run of one kind of process."""
        seconds = self.cpu_seconds.get(kind, 0.0)
        return seconds / (self.runs * len(self.wtb)) * MILLISECONDS

    @property
    def total_cpu_ms(self) -> float:
        """CPU per run of all processes but the servers."""
        return sum(self.cpu_ms(kind) for kind in self.cpu_seconds if kind not in NOT_OURS)


@dataclass(frozen=True)
class Idle:
    """Latencies of one execution at a time, in ms from its POST."""

    to_first_node: list[float]
    to_end: list[float]


def percentile(values: list[float], percent: int) -> float:
    """The value that this share of all values does not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def show(stacks: list[Throughput], idle: Idle) -> None:
    """Print the figures for people."""
    console = Console()
    console.print(_rates(stacks))
    console.print(_cpu(stacks))
    console.print(_latencies(idle))


def _rates(stacks: list[Throughput]) -> Table:
    table = Table(title=f"{stacks[0].runs} runs of 4 nodes, in turns")
    for heading in ("", "WTB runs/s", "bare runs/s", "ratio", "POST accepted", "peak memory"):
        table.add_column(heading)
    for stack in stacks:
        table.add_row(
            _name(stack),
            _range(stack.wtb),
            _range(stack.bare),
            f"{stack.ratio:.2f}",
            f"{statistics.median(stack.accept_ms):.0f} ms",
            f"{stack.peak_memory_mb:.0f} MB",
        )
    return table


def _cpu(stacks: list[Throughput]) -> Table:
    table = Table("CPU per run", *(_name(stack) for stack in stacks))

    def row(name: str, values: list[float]) -> None:
        table.add_row(name, *(f"{value:.2f} ms" for value in values))

    for kind in sorted({kind for stack in stacks for kind in stack.cpu_seconds}):
        if kind not in NOT_OURS:
            row(kind, [stack.cpu_ms(kind) for stack in stacks])
    row("in sum", [stack.total_cpu_ms for stack in stacks])
    table.add_section()
    row("the graph alone", [statistics.median(stack.graph_alone_ms) for stack in stacks])
    row("WTB's own cost in a runner", [stack.own_cost_ms for stack in stacks])
    table.add_section()
    row("bare LangGraph", [stack.bare_cpu_ms for stack in stacks])
    for kind in NOT_OURS:
        row(f"{kind}, not counted", [stack.cpu_ms(kind) for stack in stacks])
    return table


def _latencies(idle: Idle) -> Table:
    table = Table(f"{len(idle.to_end)} executions, one at a time", "median", "p90", "p99")
    for name, values in (
        ("POST to first node", idle.to_first_node),
        ("POST to recorded end", idle.to_end),
    ):
        shares = [f"{percentile(values, percent):.1f} ms" for percent in (50, 90, 99)]
        table.add_row(name, *shares)
    return table


def _name(stack: Throughput) -> str:
    return "1 runner" if stack.runners == 1 else f"{stack.runners} runners"


def _range(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"
