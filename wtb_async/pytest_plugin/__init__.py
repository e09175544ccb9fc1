"""Turns test cases into tests: `@pytest.mark.wtb(workflow="rag", dataset="questions")`.

pytest loads this module in every environment in which WTB is installed, so that nothing else of
WTB is imported before a test is marked.
"""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wtb_async.pytest_plugin.bench import Bench
    from wtb_async.pytest_plugin.case_result import CaseResult
    from wtb_async.pytest_plugin.marker import MarkedCase

_BENCH: "pytest.StashKey[Bench]" = pytest.StashKey()

_MARKER = (
    "wtb(workflow, *, dataset=None, dataset_version=None, limit=None, test_cases=None, "
    "variants=None, evaluators=(), name=None, timeout_seconds=600): run the test once for each "
    "test case, with the fixture wtb_result holding what the workflow made of it."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--wtb-data-dir`."""
    parser.getgroup("wtb").addoption(
        "--wtb-data-dir",
        default=".wtb",
        metavar="DIR",
        help="Where WTB's local stack keeps its data. WTB_URL and WTB_API_KEY win over it.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - a type of pytest-xdist's
    """Tell the processes of pytest-xdist how tests are shared among them."""
    node.workerinput["wtb_dist"] = node.config.getoption("dist")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each case of a marked function."""
    marker = metafunc.definition.get_closest_marker("wtb")
    if marker is None:
        return
    from wtb_async.pytest_plugin.marker import parametrize, read_marker  # noqa: PLC0415

    mark = read_marker(marker)
    parametrize(metafunc, mark, _bench(metafunc.config))


@pytest.fixture
def wtb_case() -> "MarkedCase":
    """The test case; a marked function gets one after another in its place."""
    pytest.fail("wtb_result needs a test that is marked: @pytest.mark.wtb(...)", pytrace=False)


@pytest.fixture
def wtb_result(request: pytest.FixtureRequest, wtb_case: "MarkedCase") -> "CaseResult":
    """What the workflow made of the test case, as soon as it has ended and been scored."""
    return _bench(request.config).result(request.node, wtb_case)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name the batch tests that were recorded."""
    if bench := config.stash.get(_BENCH, None):
        for line in bench.summary():
            terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close what is open."""
    if bench := config.stash.get(_BENCH, None):
        bench.close()


def _bench(config: pytest.Config) -> "Bench":
    from wtb_async.pytest_plugin.bench import Bench  # noqa: PLC0415

    if _BENCH not in config.stash:
        config.stash[_BENCH] = Bench(config.getoption("--wtb-data-dir"))
    return config.stash[_BENCH]
