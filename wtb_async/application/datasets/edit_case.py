"""Changes one test case of a dataset."""

from wtb_async.application.datasets.import_cases import take_in
from wtb_async.application.datasets.recording import asked
from wtb_async.application.datasets.views import CaseChangesView
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind
from wtb_async.domain.dataset import CaseContent, ImportMode, IncomingCase
from wtb_async.domain.errors import NotFound


async def edit_case(
    dataset: str,
    content: CaseContent,
    caller: str,
    *,
    uow_factory: UnitOfWorkFactory,
    nudges: Nudges,
) -> CaseChangesView:
    """Let the case read like this from a new version on. Raises NotFound."""
    async with uow_factory() as uow:
        found = await uow.datasets.get(dataset, for_update=True)
        if not await uow.test_cases.has(found.id, content.key):
            raise NotFound("test case", content.key)
        rows = iter([IncomingCase("item.1", content)])
        command = asked(CommandKind.EDIT_CASE, found, caller, {"case": content.key})
        view = await take_in(found, rows, ImportMode.UPSERT, command, uow)
        await uow.commit()
    nudges.new_events()
    return view
