"""Choices agree on a prefix, and part where they differ: nobody is lost, nobody is forced."""

from collections.abc import Sequence

from factories import unhurried
from hypothesis import given
from hypothesis import strategies as st

from wtb_async.application.clock import utc_now
from wtb_async.application.executions.plan import (
    NOTHING,
    Beginning,
    ExecutionPlan,
    Extent,
    PlannedInput,
    plan_product,
    share_prefixes,
)
from wtb_async.application.ids import new_id
from wtb_async.domain.execution import Limits
from wtb_async.domain.graph_choice import GraphChoice
from wtb_async.domain.shared_prefix import Agreement, agreement_of, divide

NODES = ("a", "b", "c")
CHOICES = st.fixed_dictionaries({node: st.sampled_from("xyz") for node in NODES})
GROUPS = st.lists(
    CHOICES, min_size=1, max_size=12, unique_by=lambda each: tuple(each[n] for n in NODES)
)
REACHED = st.sets(st.sampled_from(NODES), min_size=1)


@unhurried
@given(GROUPS)
def test_a_node_is_decided_where_all_agree_and_a_gate_where_not(
    choices: list[dict[str, str]],
) -> None:
    agreed = agreement_of(choices)
    assert {*agreed.variants, *agreed.gates} == set(NODES)
    for node in NODES:
        names = {choice[node] for choice in choices}
        assert names == {agreed.variants[node]} if node in agreed.variants else len(names) > 1


def test_a_single_choice_agrees_with_itself_in_everything() -> None:
    assert agreement_of([{"a": "x"}]) == Agreement({"a": "x"})
    assert agreement_of([{}]) == Agreement({})


def test_a_node_that_a_choice_leaves_out_is_a_gate() -> None:
    assert agreement_of([{"a": "x"}, {"a": "x", "b": "y"}]) == Agreement({"a": "x"}, ("b",))


@unhurried
@given(GROUPS, REACHED)
def test_those_stay_together_that_agree_on_the_gates_reached(
    choices: list[dict[str, str]], reached: set[str]
) -> None:
    members = dict(enumerate(choices))
    parts = divide(members, reached)
    assert sorted(each for part in parts for each in part) == list(members)
    seen = [{tuple(members[each][node] for node in sorted(reached)) for each in p} for p in parts]
    assert all(len(ways) == 1 for ways in seen)
    assert len({way for ways in seen for way in ways}) == len(parts)
    assert all(part == sorted(part) for part in parts)


@unhurried
@given(GROUPS, st.lists(REACHED, max_size=4))
def test_groups_that_part_again_and_again_end_with_each_of_their_choices(
    choices: list[dict[str, str]], ways: list[set[str]]
) -> None:
    groups = [list(range(len(choices)))]
    for reached in [*ways, set(NODES)]:
        groups = [
            part
            for group in groups
            for part in divide({each: choices[each] for each in group}, reached)
        ]
    agreed = [agreement_of([choices[each] for each in group]) for group in groups]
    assert sorted(groups) == [[each] for each in range(len(choices))]
    assert [each.variants for each in agreed] == [choices[group[0]] for group in groups]
    assert not any(each.gates for each in agreed)


def plan(choices: Sequence[GraphChoice], wanted: Extent, done: Extent = NOTHING) -> ExecutionPlan:
    return ExecutionPlan(
        workflow_id=new_id(),
        inputs=[PlannedInput(input={"n": n}) for n in range(wanted[0])],
        choices=choices,
        executions=plan_product(wanted, done),
        limits=Limits(),
        caller="test",
        created_at=utc_now(),
        metadata={},
    )


@unhurried
@given(GROUPS, st.integers(1, 3), st.integers(1, 3))
def test_a_plan_shares_one_run_for_each_input_and_repetition(
    choices: list[dict[str, str]], inputs: int, repetitions: int
) -> None:
    alone = plan([GraphChoice(each) for each in choices], (inputs, len(choices), repetitions))
    shared = share_prefixes(alone)
    assert [each.execution_id for each in shared.executions] == [
        each.execution_id for each in alone.executions
    ]
    runs = {(p.run_id, p.thread_id, p.input, p.repetition) for p in shared.executions}
    assert len(runs) == inputs * repetitions
    assert sum(p.beginning is not None for p in shared.executions) == len(runs)
    agreed = agreement_of(choices)
    assert shared.beginnings == [Beginning(GraphChoice(agreed.variants), agreed.gates)]


VARIANTS = [GraphChoice({"a": name}) for name in "xyz"]


def test_only_what_is_new_is_shared_among_itself() -> None:
    """A batch that grows by a test case and a combination accepts a part of the product."""
    shared = share_prefixes(plan(VARIANTS, (2, 3, 1), (1, 2, 1)))
    assert [(p.input, p.choice, p.beginning) for p in shared.executions] == [
        (0, 2, 0),
        (1, 0, 1),
        (1, 1, None),
        (1, 2, None),
    ]
    assert shared.beginnings == [Beginning(VARIANTS[2]), Beginning(GraphChoice({}), ("a",))]


def test_another_graph_shares_nothing() -> None:
    others = [GraphChoice({"a": name}, "other") for name in "xy"]
    shared = share_prefixes(plan([*VARIANTS[:2], *others], (1, 4, 1)))
    assert [(p.choice, p.beginning) for p in shared.executions] == [
        (0, 0),
        (1, None),
        (2, 1),
        (3, None),
    ]
    assert shared.beginnings == [
        Beginning(GraphChoice({}), ("a",)),
        Beginning(GraphChoice({}, "other"), ("a",)),
    ]
