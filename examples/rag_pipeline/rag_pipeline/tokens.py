"""How questions and passages become terms.

Prose and code are mixed in both, so the rules are those of two worlds:

- Names stay whole and are also indexed by their parts: `str.format_map` gives `str.format_map`,
  `str`, `format_map`, `format`, `map`; `__len__` gives `__len__` and `len`.
- Operators are terms where they stand alone or between quotes: `x // y`, `"**"`.
- English stop words, and the idle words of questions, are dropped, unless they stand between
  quotes or backticks: there `with`, `not` and `is` are Python.
- Case is folded, and plain plurals become singulars (Harman's S-stemmer, 1991, with `-sses`,
  `-ches`, `-shes`, `-xes` added). Stronger stemmers would turn `string` into `str`.
"""

import functools
import re
from collections.abc import Iterator

SHORTEST_PLURAL = 4
"""Shorter words that end in s are not plurals: `is`, `as`, `has`."""

_CODE = re.compile(r'"([^"\n]{1,60})"|`([^`\n]+)`')
_NAME = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_OPERATOR = (
    r"(?<![^\s(])(?:\*\*|//|<<|>>|:=|->|==|!=|<=|>=|\.\.\.|[-+*/%@&|^~<>]=?)(?![^\s),;?\d\w])"
)
_TERM = re.compile(rf"{_NAME}|{_OPERATOR}")

_FUNCTION_WORDS = """
    a about after all also am an and any anything are as at be because been before but by can
    could did do does doing each else even every exactly exist find for found from get gets
    give gives go goes good had happen happens has have here how i if in into is it its just
    let like look looking make makes may me mean means might more most my need needed needs
    never no nobody not of off on one only or other our out over own put puts really run runs
    same should so some somebody someone something soon such than that the their them then
    there these they thing things this those through to too under up use used uses using very
    want wants was way we were what when where which while who why will with without work
    works would write you your
"""
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())


@functools.lru_cache(maxsize=8192)
def tokenise(text: str) -> tuple[str, ...]:
    """Return the terms of a text in reading order, repetitions included."""
    return tuple(_terms(text))


def _terms(text: str) -> Iterator[str]:
    for fragment, is_code in _fragments(text):
        for match in _TERM.finditer(fragment.lower()):
            term = match.group()
            if is_code or term not in _STOP_WORDS:
                yield from _with_parts(term)


def _fragments(text: str) -> Iterator[tuple[str, bool]]:
    """Split a text into prose and quoted code."""
    end = 0
    for match in _CODE.finditer(text):
        yield text[end : match.start()], False
        yield match.group(1) or match.group(2), True
        end = match.end()
    yield text[end:], False


def _with_parts(term: str) -> Iterator[str]:
    if term.isalpha():
        if len(term) > 1:
            yield singular(term)
        return
    yield term
    if "." in term:
        for part in term.split("."):
            yield from _with_parts(part)
    elif "_" in term:
        yield from (singular(part) for part in term.split("_") if len(part) > 1)


def singular(word: str) -> str:
    """Return the singular of an English plural, and every other word unchanged."""
    if len(word) < SHORTEST_PLURAL or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    return word[:-1]
