"""What the command line tells of node executions that several executions have shared."""

from wtb_command import wtb
from wtb_server import Json, Served
from wtb_shapes import BATCH, EXECUTION, ID, batch, node_boundary


def batch_with(saved: Json) -> Json:
    return {**batch("completed", completed=4), "node_executions": saved}


def test_a_batch_tells_what_shared_prefixes_have_saved(stand_in: Served) -> None:
    stand_in.objects[BATCH] = batch_with({"run": 41, "saved": 94, "saved_ms": 1880.0})
    assert "41 executions, 94 saved (1.9 s)" in wtb("batch", "show", ID).stdout


def test_a_batch_that_shares_nothing_tells_of_its_node_executions_only(stand_in: Served) -> None:
    stand_in.objects[BATCH] = batch_with({"run": 41, "saved": 0, "saved_ms": 0.0})
    assert "41 executions\n" in wtb("batch", "show", ID).stdout


def test_nodes_that_ran_for_several_executions_are_marked(stand_in: Served) -> None:
    stand_in.lists[f"{EXECUTION}/nodes"] = [
        node_boundary("first", "completed", shared=True),
        node_boundary("second", "completed", shared=False),
    ]
    first, second = (
        line for line in wtb("executions", "nodes", ID).stdout.splitlines() if "12.3 ms" in line
    )
    assert "(shared)" in first
    assert "(shared)" not in second
