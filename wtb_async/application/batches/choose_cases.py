"""Which test cases a batch test runs: its own, or those of a version of a dataset."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.dataset import CaseContent, Dataset, sampled
from wtb_async.domain.errors import InvalidInput, NotFound, Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChoice:
    """What the caller said: cases of its own, or a dataset, perhaps not all of it."""

    test_cases: Sequence[CaseContent] | None = None
    dataset: str | None = None
    dataset_version: int | None = None
    """None is the newest."""
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenCases:
    """Cases that the batch brings, or the ids of a dataset's."""

    own: Sequence[CaseContent] = ()
    ids: Sequence[UUID] = ()
    dataset_id: UUID | None = None
    dataset_version: int | None = None
    limit: int | None = None
    """How many were asked for of that version of the dataset; None is all of them."""

    def __len__(self) -> int:
        return len(self.own) + len(self.ids)


async def choose_cases(choice: CaseChoice, uow: UnitOfWork) -> ChosenCases:
    """Find the cases. Raises InvalidInput when there are none, or two sources of them."""
    _check(choice)
    if choice.dataset is None:
        return ChosenCases(own=sample_of(choice.test_cases or (), choice.limit))
    dataset = await _dataset(choice.dataset, uow)
    version = choice.dataset_version or dataset.version
    ids = await cases_of_version(dataset, version, choice.limit, uow)
    if not ids:
        raise InvalidInput.of("dataset", f"version {version} of it has no test cases")
    return ChosenCases(ids=ids, dataset_id=dataset.id, dataset_version=version, limit=choice.limit)


def sample_of(cases: Sequence[CaseContent], limit: int | None) -> list[CaseContent]:
    """So many of the cases, chosen by their ids. Raises InvalidInput when an id comes twice."""
    keys = [case.key for case in cases]
    if twice := sorted(key for key, count in Counter(keys).items() if count > 1):
        raise InvalidInput.of("test_cases", f"ids are not unique: {', '.join(twice)}")
    return [cases[position] for position in sampled(keys, limit)]


async def cases_of_version(
    dataset: Dataset, version: int, limit: int | None, uow: UnitOfWork
) -> list[UUID]:
    """The ids of a version's cases. Raises InvalidInput when there is no such version."""
    if version > dataset.version:
        raise InvalidInput.of("dataset_version", f"the newest version is {dataset.version}")
    return await uow.test_cases.choose(dataset.id, version, limit)


def _check(choice: CaseChoice) -> None:
    violations = []
    if choice.dataset is not None and choice.test_cases is not None:
        violations.append(Violation("dataset", "give a dataset or test_cases, not both"))
    if choice.dataset is None and not choice.test_cases:
        violations.append(Violation("test_cases", "give at least one test case, or a dataset"))
    if choice.dataset is None and choice.dataset_version is not None:
        violations.append(Violation("dataset_version", "there is no dataset that it belongs to"))
    if violations:
        raise InvalidInput(violations)


async def _dataset(name_or_id: str, uow: UnitOfWork) -> Dataset:
    try:
        return await uow.datasets.get(name_or_id)
    except NotFound as error:
        raise InvalidInput.of("dataset", str(error)) from error
