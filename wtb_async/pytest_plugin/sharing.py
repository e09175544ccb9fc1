"""How pytest-xdist shares tests among processes, of which each knows all that were selected."""

import pytest

from wtb_async.domain.errors import WtbError

_WHOLE_FUNCTIONS = ("loadfile", "loadscope")


class FunctionTornApart(WtbError):
    """Several processes run tests of one function."""

    code = "function_torn_apart"

    def __init__(self, processes: int) -> None:
        super().__init__(
            f"each of {processes} processes would run all cases, in a batch test of its own; "
            "keep the tests of a function in one process: --dist loadfile or --dist loadscope"
        )


def check_sharing(item: pytest.Item) -> None:
    """Raise FunctionTornApart unless all tests of a function run in this process."""
    shared = getattr(item.config, "workerinput", None)
    if shared is None or shared["workercount"] == 1:
        return
    is_grouped = item.config.getoption("loadgroup") and item.get_closest_marker("xdist_group")
    if shared["wtb_dist"] not in _WHOLE_FUNCTIONS and not is_grouped:
        raise FunctionTornApart(shared["workercount"])
