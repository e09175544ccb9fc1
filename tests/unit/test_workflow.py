"""A workflow knows its nodes and variants, and says which of them a caller got wrong."""

from datetime import timedelta

import pytest
from factories import NOW, new_workflow

from wtb_async.domain.errors import InvalidInput, NotFound
from wtb_async.domain.workflow import Workflow, decided


@pytest.fixture
def workflow() -> Workflow:
    return new_workflow(
        nodes=["retrieve", "answer"],
        node_variants={"retrieve": ["bm25", "tfidf"], "answer": ["llm"]},
        workflow_variants={"flat": ["answer", "rank"]},
    )


def test_a_choice_of_existing_variants_is_accepted(workflow: Workflow) -> None:
    workflow.check_choice({"retrieve": "bm25", "answer": "base"})
    workflow.check_choice({})


def test_every_wrong_choice_is_named_with_its_field(workflow: Workflow) -> None:
    with pytest.raises(InvalidInput) as caught:
        workflow.check_choice(
            {"retrieve": "llm", "answer": "llm", "guess": "base"}, field="variant_matrix.3"
        )
    assert [v.field for v in caught.value.violations] == [
        "variant_matrix.3.retrieve",
        "variant_matrix.3.guess",
    ]


def test_a_wrong_variant_is_answered_with_those_that_there_are(workflow: Workflow) -> None:
    with pytest.raises(InvalidInput, match="no variant 'lsa'; there are base, bm25, tfidf"):
        workflow.check_choice({"retrieve": "lsa"})


def test_a_variant_belongs_to_its_node_alone(workflow: Workflow) -> None:
    assert workflow.find_node_variant("retrieve", "llm") is None
    found = workflow.find_node_variant("answer", "llm")
    assert found is not None
    assert (found.node, found.name) == ("answer", "llm")


def test_the_original_graph_needs_no_variant(workflow: Workflow) -> None:
    workflow.check_workflow_variant(None)
    workflow.check_workflow_variant("flat")


def test_a_wrong_workflow_variant_is_answered_with_those_that_there_are(
    workflow: Workflow,
) -> None:
    with pytest.raises(InvalidInput, match="workflow_variant: no variant 'deep'; there are: flat"):
        workflow.check_workflow_variant("deep")
    with pytest.raises(InvalidInput, match="there are: none yet"):
        new_workflow().check_workflow_variant("deep")


def test_a_choice_is_checked_against_the_graph_that_is_chosen(workflow: Workflow) -> None:
    workflow.check_choice({"answer": "llm"}, workflow_variant="flat")
    with pytest.raises(InvalidInput) as caught:
        workflow.check_choice({"retrieve": "bm25"}, workflow_variant="flat")
    assert str(caught.value) == (
        "variants.retrieve: workflow variant 'flat' has no such node; it has answer, rank; "
        "only 'base' can be chosen for it here"
    )
    with pytest.raises(InvalidInput, match="workflow 'rag' has no such node"):
        workflow.check_choice({"rank": "llm"})


@pytest.mark.parametrize("graph", [None, "flat"])
def test_base_may_be_chosen_for_a_node_of_any_graph(workflow: Workflow, graph: str | None) -> None:
    nodes = dict.fromkeys(["retrieve", "answer", "rank"], "base")
    workflow.check_choice(nodes, workflow_variant=graph)
    with pytest.raises(InvalidInput, match=r"variants.guess: .* no such node"):
        workflow.check_choice({"guess": "base"}, workflow_variant=graph)


def test_a_node_that_the_graph_lacks_is_not_found(workflow: Workflow) -> None:
    workflow.check_node("answer")
    with pytest.raises(NotFound, match=r"retrieve, answer.*'rank'"):
        workflow.check_node("rank")


def test_a_workflow_whose_topology_is_unknown_has_no_nodes() -> None:
    workflow = new_workflow()
    workflow.topology = {}
    assert workflow.nodes == []


def test_a_change_makes_a_new_version(workflow: Workflow) -> None:
    later = NOW + timedelta(hours=1)
    workflow.touch(later)
    assert (workflow.version, workflow.updated_at) == (2, later)


def test_choices_that_mean_the_same_graph_become_equal() -> None:
    assert decided({"a": "base", "b": "x"}) == decided({"b": "x"}) == {"b": "x"}
