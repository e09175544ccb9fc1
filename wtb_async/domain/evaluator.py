"""Evaluators as a batch test names them: what to call, with what, and under which key."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from wtb_async.domain.errors import InvalidInput, Violation
from wtb_async.domain.json import JsonObject, JsonValue

KEY_PATTERN: Final = r"^[\w.\-]{1,100}$"
"""What a caller may call a score: letters, digits, `_`, `.` and `-`."""
_KEY = re.compile(KEY_PATTERN)


class EvaluatorKind(StrEnum):
    """How much of a batch test an evaluator looks at."""

    SINGLE = "single"
    """One execution."""
    PAIRWISE = "pairwise"
    """An execution and the baseline's of the same case and repetition."""
    SUMMARY = "summary"
    """All completed executions of a combination."""

    @property
    def field(self) -> str:
        """The field of a batch test that lists evaluators of this kind."""
        return "evaluators" if self is EvaluatorKind.SINGLE else f"{self}_evaluators"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorChoice:
    """One evaluator of a batch test."""

    use: str
    """Reference: `wtb.regex`, `module:function`, `./file.py:function`."""
    kind: EvaluatorKind = EvaluatorKind.SINGLE
    key: str | None = None
    """The key that it scores under; None leaves it to the evaluator."""
    arguments: JsonObject = field(default_factory=dict)
    """What it is called with besides the execution; of a class, what it is made with."""
    output: str | None = None
    """The dotted path of what it sees as `outputs`; None is all of them."""
    reference: str | None = None
    """The dotted path of what it sees as `reference_outputs`."""
    lower_is_better: bool | None = None
    """None leaves it to the project and to the built-in evaluator."""

    @property
    def name(self) -> str:
        """What tells it from the other evaluators of its batch test."""
        return self.key or self.use

    @property
    def score_key(self) -> str:
        """The key under which it scores unless it names one itself."""
        return self.key or score_key(self.use)

    def to_json(self) -> JsonValue:
        """The shortest form that says the same: a bare reference where that is all."""
        said: JsonObject = {
            "key": self.key,
            "with": self.arguments or None,
            "output": self.output,
            "reference": self.reference,
            "lower_is_better": self.lower_is_better,
        }
        said = {name: value for name, value in said.items() if value is not None}
        return {"use": self.use, **said} if said else self.use

    def to_stored(self) -> JsonValue:
        """The form that is kept with the batch test, in one list for all kinds."""
        shown = self.to_json()
        if self.kind is EvaluatorKind.SINGLE:
            return shown
        return {**(shown if isinstance(shown, dict) else {"use": shown}), "kind": self.kind.value}

    @classmethod
    def from_stored(cls, stored: JsonValue) -> Self:
        """What `to_stored` wrote."""
        if not isinstance(stored, dict):
            return cls(use=str(stored))
        return cls(
            use=stored["use"],
            kind=EvaluatorKind(stored.get("kind", EvaluatorKind.SINGLE)),
            key=stored.get("key"),
            arguments=stored.get("with", {}),
            output=stored.get("output"),
            reference=stored.get("reference"),
            lower_is_better=stored.get("lower_is_better"),
        )


def score_key(reference: str) -> str:
    """The key under which what a reference names scores by default.

    Built-in evaluators (`wtb.latency`) score under their own name, others (`module:function`)
    under their function's.
    """
    return reference.rpartition(":")[2]


def entry_key(entry: JsonValue) -> str:
    """The key under which a stored evaluator scores unless it names one itself."""
    return EvaluatorChoice.from_stored(entry).score_key


def choices_of(entries: Iterable[EvaluatorChoice | str]) -> list[EvaluatorChoice]:
    """The choices; a bare reference stands for the evaluator that it names."""
    return [EvaluatorChoice(use=each) if isinstance(each, str) else each for each in entries]


def shown(stored: Iterable[JsonValue], kind: EvaluatorKind) -> list[JsonValue]:
    """The evaluators of one kind, as callers write them."""
    choices = map(EvaluatorChoice.from_stored, stored)
    return [choice.to_json() for choice in choices if choice.kind is kind]


def numbered(choices: Sequence[EvaluatorChoice]) -> Iterator[tuple[str, EvaluatorChoice]]:
    """Each choice with the field that names it: `evaluators.0`, `pairwise_evaluators.2`."""
    seen: Counter[EvaluatorKind] = Counter()
    for choice in choices:
        yield f"{choice.kind.field}.{seen[choice.kind]}", choice
        seen[choice.kind] += 1


def check_keys(choices: Sequence[EvaluatorChoice], taken: Iterable[str] = ()) -> None:
    """Raise InvalidInput for keys that are malformed or that two evaluators would share."""
    violations = []
    keys = set(taken)
    for place, choice in numbered(choices):
        if choice.key is not None and not _KEY.fullmatch(choice.key):
            message = "a key has up to 100 letters, digits, '_', '.' and '-'"
            violations.append(Violation(f"{place}.key", message))
        elif choice.score_key in keys:
            message = f"another evaluator scores under {choice.score_key!r}; give this one a key"
            violations.append(Violation(place, message))
        keys.add(choice.score_key)
    if violations:
        raise InvalidInput(violations)
