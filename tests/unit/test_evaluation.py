"""Evaluators are checked before they are taken, and a bad one costs only its own score."""

from pathlib import Path
from typing import Any

import pytest
from factories import outcome, scoring_job, write_project

from wtb_async.application.batches.scoring import Score
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.evaluator import EvaluatorChoice, EvaluatorKind, choices_of
from wtb_async.infrastructure.evaluation.calling import CallOptions
from wtb_async.infrastructure.evaluation.engine import ProjectEvaluationEngine
from wtb_async.infrastructure.langgraph.projects import ProjectRegistry

SCORERS = """
from scoring_rules import length

def judge(outputs):
    return len(outputs["answer"]) == length

def breaks(outputs):
    raise ValueError("broken")

def within(outputs, limit, unit="character"):
    return {"key": unit, "score": len(outputs["answer"]) <= limit}

def old(run, gold, limit):
    return limit

class Strict:
    def __init__(self, limit):
        self.limit = limit

    def __call__(self, outputs):
        return self.limit

number = 3
"""


@pytest.fixture
def engine(tmp_path: Path) -> ProjectEvaluationEngine:
    files = {"scorers.py": SCORERS, "scoring_rules.py": "length = 1", "bad.py": "1 / 0\njudge = 1"}
    wtb = {"lower_is_better": ["character"]}
    project = write_project(tmp_path / "project", files, wtb=wtb)
    return ProjectEvaluationEngine(ProjectRegistry([project.file]), CallOptions(attempts=1))


def choice(use: str, **said: Any) -> EvaluatorChoice:  # noqa: ANN401
    arguments = said.pop("arguments", {})
    return EvaluatorChoice(use=use, arguments=arguments, **said)


async def test_an_evaluator_of_the_project_and_a_built_in_one_score_together(
    engine: ProjectEvaluationEngine,
) -> None:
    job = scoring_job(["./scorers.py:judge", "wtb.exact_match", "wtb.latency"])
    scored = await engine.score(job)
    assert scored.execution_id == job.outcome.execution_id
    assert [(row.key, row.score, row.lower_is_better) for row in scored.scores] == [
        ("judge", True, False),
        ("wtb.exact_match", True, False),
        ("wtb.latency", 12.5, True),
    ]


async def test_evaluators_get_the_arguments_of_the_caller(engine: ProjectEvaluationEngine) -> None:
    job = scoring_job(
        [
            choice("./scorers.py:within", arguments={"limit": 1}),
            choice("./scorers.py:within", key="strict", arguments={"limit": 0}),
            choice("./scorers.py:Strict", arguments={"limit": 0.5}),
        ]
    )
    scored = await engine.score(job)
    assert [(row.evaluator, row.key, row.score) for row in scored.scores] == [
        ("./scorers.py:within", "character", True),
        ("strict", "strict", False),
        ("./scorers.py:Strict", "Strict", 0.5),
    ]


async def test_the_caller_says_which_direction_is_better_or_else_the_project(
    engine: ProjectEvaluationEngine,
) -> None:
    within = choice("./scorers.py:within", arguments={"limit": 1})
    contrary = choice("./scorers.py:within", arguments={"limit": 1}, lower_is_better=False)
    for given, lower in ((within, True), (contrary, False)):
        [row] = (await engine.score(scoring_job([given]))).scores
        assert row.lower_is_better is lower


async def test_a_bad_evaluator_does_not_cost_the_others_their_scores(
    engine: ProjectEvaluationEngine,
) -> None:
    names = ["./scorers.py:breaks", "./bad.py:judge", "./scorers.py:number", "./scorers.py:judge"]
    scored = await engine.score(scoring_job(names))
    assert [row.key for row in scored.scores] == ["breaks", "judge", "number", "judge"]
    assert [row.error is None for row in scored.scores] == [False, False, False, True]
    assert scored.scores[0] == Score(evaluator=names[0], key="breaks", error="ValueError: broken")


async def test_an_execution_that_failed_is_not_scored(engine: ProjectEvaluationEngine) -> None:
    job = scoring_job(["./scorers.py:judge"], outcome=outcome(status="failed"))
    assert (await engine.score(job)).scores == ()


def test_evaluators_are_checked_without_being_loaded(engine: ProjectEvaluationEngine) -> None:
    references = ["wtb.exact_match", "./bad.py:judge", "scorers:judge"]
    engine.check("project", choices_of(references))


LIBRARY = """
from subprocess import run

class Score:
    def __init__(self, name, score):
        self.name, self.score, self.metadata = name, score, {}

class Closeness:
    def __init__(self, scale=1):
        self.scale = scale

    def __call__(self, output, expected=None, **kwargs):
        return Score("Closeness", self.scale * float(output == expected))

def create_closeness(scale):
    def closeness(*, outputs, reference_outputs, **kwargs):
        return {"key": "closeness", "score": scale * float(outputs == reference_outputs)}
    return closeness
"""


async def test_scorers_of_a_known_library_are_named_as_they_are(
    engine: ProjectEvaluationEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real ones are no dependency; these have their shapes."""
    package = tmp_path / "site" / "autoevals"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "string.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(package.parent)
    choices = [
        choice("autoevals.string:Closeness", arguments={"scale": 0.5}),
        choice("autoevals.string:create_closeness", arguments={"scale": 0.25}),
        choice("autoevals.string:run", arguments={"args": ["true"]}),
        choice("autoevals.string:missing"),
    ]
    engine.check("project", choices)
    made, created, foreign, missing = (await engine.score(scoring_job(choices))).scores
    assert (made.key, made.score) == ("Closeness", 0.5)
    assert (created.key, created.score) == ("closeness", 0.25)
    assert foreign.error is not None
    assert "is not of autoevals itself" in foreign.error
    assert missing.error is not None
    assert "does not load: AttributeError" in missing.error


PAIRWISE = EvaluatorKind.PAIRWISE


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (choice("wtb.magic"), "evaluators.1: .*does not exist; built in are wtb.exact_match, "),
        (choice("os:getcwd"), "evaluators.1: .*names nothing in project"),
        (choice("./scorers.py:missing"), "evaluators.1: .*defines no 'missing'"),
        (choice("judge"), "evaluators.1: .*is not 'module:attr'"),
        (choice("openevals.exact:exact_match"), "evaluators.1: .*openevals is not installed"),
        (choice("wtb.regex"), r"evaluators.1.with.pattern: Field required"),
        (choice("wtb.regex", arguments={"pattern": "("}), r"evaluators.1.with.pattern: .*unclosed"),
        (
            choice("wtb.latency", arguments={"unit": "s"}),
            r"evaluators.1.with.unit: Extra inputs are not permitted",
        ),
        (
            choice("wtb.cost", arguments={"prices": {"m": {"input": -1, "output": 2}}}),
            r"evaluators.1.with.prices.m.input: Input should be greater than or equal to 0",
        ),
        (
            choice("./scorers.py:judge", arguments={"limit": 1}),
            "evaluators.1.with.limit: judge takes no argument 'limit'",
        ),
        (choice("./scorers.py:old"), "evaluators.1.with: old asks for gold, limit, which nobody"),
        (
            choice("./scorers.py:missing", kind=PAIRWISE),
            "pairwise_evaluators.0: .*defines no 'missing'",
        ),
    ],
)
def test_an_evaluator_that_cannot_be_called_is_named_with_its_place(
    engine: ProjectEvaluationEngine, bad: EvaluatorChoice, problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        engine.check("project", [choice("wtb.latency"), bad])


def test_a_missing_argument_may_be_the_example_of_the_older_convention(
    engine: ProjectEvaluationEngine,
) -> None:
    engine.check("project", [choice("./scorers.py:old", arguments={"limit": 1})])
