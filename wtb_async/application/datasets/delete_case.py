"""Takes one test case out of a dataset."""

from wtb_async.application.datasets.recording import asked, record_changes
from wtb_async.application.datasets.views import CaseChangesView, view_of_changes
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind
from wtb_async.domain.dataset import CaseChanges
from wtb_async.domain.errors import NotFound


async def delete_case(
    dataset: str, key: str, caller: str, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> CaseChangesView:
    """Leave the case out from a new version on; earlier versions keep it. Raises NotFound."""
    async with uow_factory() as uow:
        found = await uow.datasets.get(dataset, for_update=True)
        if not await uow.test_cases.end(found.id, key, found.version + 1):
            raise NotFound("test case", key)
        changes = CaseChanges(removed=1)
        command = asked(CommandKind.DELETE_CASE, found, caller, {"case": key})
        record_changes(found, changes, command, uow)
        await uow.commit()
    nudges.new_events()
    return view_of_changes(found, changes)
