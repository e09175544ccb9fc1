"""The marker of a test function, and the tests that become of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from wtb_async.domain.json import JsonObject

if TYPE_CHECKING:
    from wtb_async.pytest_plugin.bench import Bench


@dataclass(frozen=True)
class Mark:
    """What `@pytest.mark.wtb(...)` says: which cases run through which workflow.

    `test_cases` are written as in the body of a batch test, `{"id", "input", "reference"?,
    "metadata"?}`, and so are `evaluators`: references, or `{"use", "key"?, "with"?, ...}`.
    `variants` chooses one variant for each node that is named.
    """

    workflow: str
    dataset: str | None = None
    dataset_version: int | None = None
    limit: int | None = None
    test_cases: Sequence[JsonObject] | None = None
    variants: Mapping[str, str] | None = None
    evaluators: Sequence[str | JsonObject] = ()
    name: str | None = None
    timeout_seconds: float = 600.0


@dataclass(frozen=True)
class DatasetVersion:
    """The cases of a dataset as they were when tests were made of them."""

    version: int
    cases: int


@dataclass(frozen=True)
class MarkedCase:
    """One test case of a marked function, or why there is none."""

    mark: Mark
    content: JsonObject
    source: DatasetVersion | None = None
    problem: str = ""

    @property
    def id(self) -> str:
        """The caller's own id of the case, which names its test."""
        return str(self.content["id"]) if self.content else "no-test-case"


def read_marker(marker: pytest.Mark) -> Mark:
    """Read the marker; what it does not know fails the collection."""
    try:
        mark = Mark(*marker.args, **marker.kwargs)
    except TypeError as error:
        reason = str(error).removeprefix("Mark.__init__() ")
        message = f"@pytest.mark.wtb: {reason}"
        raise pytest.fail.Exception(message, pytrace=False) from None
    if (mark.dataset is None) is (mark.test_cases is None):
        pytest.fail("@pytest.mark.wtb: give a dataset or test_cases, one of them", pytrace=False)
    return mark


def parametrize(metafunc: pytest.Metafunc, mark: Mark, bench: "Bench") -> None:
    """Make a test of each case, named by the case's id.

    Where the cases of a dataset cannot be read there is one test, which fails with the reason:
    who runs other tests alone needs no server.
    """
    if "wtb_case" not in metafunc.fixturenames:
        pytest.fail("a test that is marked wtb takes the fixture wtb_result", pytrace=False)
    cases = _own(mark) if mark.dataset is None else bench.cases_of_dataset(mark)
    metafunc.parametrize("wtb_case", cases, ids=[case.id for case in cases])


def _own(mark: Mark) -> list[MarkedCase]:
    for case in mark.test_cases or ():
        if not isinstance(case, dict) or not isinstance(case.get("id"), str):
            pytest.fail(f"@pytest.mark.wtb: a test case has an id: {case!r}", pytrace=False)
    return [MarkedCase(mark, case) for case in mark.test_cases or ()]
