"""Which test cases a batch test gets that it has not run yet."""

from collections.abc import Sequence

from wtb_async.application.batches.choose_cases import (
    CaseChoice,
    ChosenCases,
    cases_of_version,
    sample_of,
)
from wtb_async.application.batches.repositories import CaseDifference
from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.batch_test import BatchTest
from wtb_async.domain.dataset import Dataset
from wtb_async.domain.errors import InvalidInput, Violation

_NAMED = 5
"""How many cases an error names."""


async def find_new_cases(batch: BatchTest, choice: CaseChoice, uow: UnitOfWork) -> ChosenCases:
    """The chosen cases that the batch has not; what is not said of a dataset stays as it was.

    Raises:
        InvalidInput: they come from elsewhere than the batch's, a case comes twice or reads
            differently than before, or there is no such version.
    """
    if batch.dataset_id is None or batch.dataset_version is None:
        return await _own(batch, choice, uow)
    if choice.test_cases is not None:
        message = "the batch runs on a dataset; add them there, and give its dataset_version"
        raise InvalidInput.of("test_cases", message)
    if choice.dataset_version is None and choice.limit is None:
        return ChosenCases()
    dataset = await uow.datasets.get(batch.dataset_id)
    return await _of_dataset(batch, dataset, batch.dataset_version, choice, uow)


async def _own(batch: BatchTest, choice: CaseChoice, uow: UnitOfWork) -> ChosenCases:
    violations = []
    if choice.dataset_version is not None:
        violations.append(Violation("dataset_version", "the batch does not run on a dataset"))
    if choice.limit is not None and not choice.test_cases:
        violations.append(Violation("limit", "there are no test_cases to choose from"))
    if violations:
        raise InvalidInput(violations)
    given = sample_of(choice.test_cases or (), choice.limit)
    found = await uow.batch_cases.differences_of_contents(batch.id, given)
    _check_unchanged(found, "test_cases")
    return ChosenCases(own=[given[each.place] for each in found])


async def _of_dataset(
    batch: BatchTest, dataset: Dataset, present: int, choice: CaseChoice, uow: UnitOfWork
) -> ChosenCases:
    version = choice.dataset_version or present
    if version < present:
        raise InvalidInput.of("dataset_version", f"the batch is at version {present} already")
    limit = choice.limit or batch.case_limit
    given = await cases_of_version(dataset, version, limit, uow)
    found = await uow.batch_cases.differences(batch.id, given)
    _check_unchanged(found, "dataset_version")
    return ChosenCases(
        ids=[given[each.place] for each in found],
        dataset_id=dataset.id,
        dataset_version=version,
        limit=limit,
    )


def _check_unchanged(found: Sequence[CaseDifference], field: str) -> None:
    """Raise `InvalidInput` for cases that the batch knows by the same id with other content.

    Scores of both could not be told apart afterwards: cases are paired by their ids.
    """
    changed = [each.key for each in found if each.is_changed]
    if changed:
        named = ", ".join(changed[:_NAMED]) + (", ..." if len(changed) > _NAMED else "")
        message = f"{len(changed)} read differently than what the batch ran: {named}"
        raise InvalidInput.of(field, f"{message}; run them in a batch test of their own")
