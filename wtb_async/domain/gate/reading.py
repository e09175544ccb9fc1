"""Gates as people write them, read into conditions and rivals; nothing is ever evaluated.

    condition = [ "[" choices "]" ] measure operator number
    choices   = node "=" variant { "," node "=" variant }
    measure   = "failures" | score | summary "(" score ")"
    summary   = "mean" | "min" | "max" | "p" (1 to 99)
    operator  = "<" | "<=" | ">" | ">=" | "==" | "!="

Names stand as they are, or between double quotes when they hold a space or one of `()[],=<>!`.
"""

import math
import re
from uuid import UUID

from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.gate.condition import (
    FAILURES,
    Condition,
    FailureCount,
    Measure,
    Operator,
    ScoreMeasure,
    Summary,
)

_TOKEN = re.compile(
    r"""\s*(?: (?P<operator> [<>=!]= | [<>] )
             | (?P<mark> [()\[\],=] )
             | "(?P<quoted> [^"]+ )"
             | (?P<word> [^\s()\[\],=<>!"]+ ) )""",
    re.VERBOSE,
)
_SUMMARIES = {each.value: each for each in Summary if each is not Summary.PERCENTILE}
_PERCENTILE = re.compile(r"p([1-9][0-9]?)")


def read_condition(text: str, *, field: str = "fail_if") -> Condition:
    """Read one condition. Raises InvalidInput that says what was expected where."""
    words = _Words(text, field)
    choices = {}
    if words.skip("["):
        choices = words.choices()
        words.expect("]")
    measure = _read_measure(words)
    operator = Operator(words.take("operator", wanted="one of < <= > >= == !="))
    limit = _read_number(words)
    words.expect_end()
    return Condition(measure, operator, limit, choices)


def read_rival(text: str, *, field: str = "worse_than") -> UUID | dict[str, str]:
    """Read what a batch test may not be worse than: another batch test's id, or a combination.

    Raises:
        InvalidInput: it is neither.
    """
    try:
        return UUID(text.strip())
    except ValueError:
        words = _Words(text, field)
    combination = words.choices()
    words.expect_end()
    return combination


def _read_measure(words: "_Words") -> Measure:
    wanted = "a score, or failures"
    if quoted := words.take_quoted():
        return ScoreMeasure(quoted)
    word = words.take("word", wanted=wanted)
    if words.skip("("):
        summary, percent = _read_summary(word, words)
        key = words.name(wanted="a score")
        words.expect(")")
        return ScoreMeasure(key, summary, percent)
    return FailureCount() if word == FAILURES else ScoreMeasure(word)


def _read_summary(word: str, words: "_Words") -> tuple[Summary, int]:
    if percentile := _PERCENTILE.fullmatch(word):
        return Summary.PERCENTILE, int(percentile[1])
    if word not in _SUMMARIES:
        raise words.error(f"{word!r} is not one of mean, min, max, p1 to p99")
    return _SUMMARIES[word], 0


def _read_number(words: "_Words") -> float:
    word = words.take("word", wanted="a number")
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise words.error(f"{word!r} is not a number")
    return number


class _Words:
    """The words of a text, taken one after another."""

    def __init__(self, text: str, field: str) -> None:
        self._text = text
        self._field = field
        self._place = 0

    def take(self, kind: str, *, wanted: str) -> str:
        """The next word, which must be of this kind."""
        found = self._peek()
        if found is None or found.lastgroup != kind:
            raise self._expected(wanted)
        self._place = found.end()
        return found[kind]

    def take_quoted(self) -> str | None:
        """The next word if it stands between quotes."""
        found = self._peek()
        if found is None or found.lastgroup != "quoted":
            return None
        self._place = found.end()
        return found["quoted"]

    def name(self, *, wanted: str) -> str:
        """The next word, with quotes or without."""
        return self.take_quoted() or self.take("word", wanted=wanted)

    def skip(self, mark: str) -> bool:
        """Pass over a mark if it comes next; tells whether it did."""
        found = self._peek()
        if found is None or found["mark"] != mark:
            return False
        self._place = found.end()
        return True

    def expect(self, mark: str) -> None:
        """Pass over a mark that must come next."""
        if not self.skip(mark):
            raise self._expected(repr(mark))

    def expect_end(self) -> None:
        """Nothing may follow."""
        if self._text[self._place :].strip():
            raise self._expected("nothing more")

    def choices(self) -> dict[str, str]:
        """`node=variant` pairs, up to what is none."""
        chosen: dict[str, str] = {}
        while not chosen or self.skip(","):
            node = self.name(wanted="node=variant")
            self.expect("=")
            if node in chosen:
                raise self.error(f"node {node!r} is given twice")
            chosen[node] = self.name(wanted="a variant")
        return chosen

    def error(self, message: str) -> InvalidInput:
        """What is wrong with the text."""
        return InvalidInput.of(self._field, f"{self._text!r}: {message}")

    def _peek(self) -> re.Match[str] | None:
        return _TOKEN.match(self._text, self._place)

    def _expected(self, wanted: str) -> InvalidInput:
        rest = self._text[self._place :].strip()
        return self.error(f"expected {wanted} {f'at {rest!r}' if rest else 'at the end'}")
