"""What the output says: whether it contains a text, or something of a form."""

from typing import Annotated, Any

from pydantic import Field, PrivateAttr, field_validator
from pydantic_core import SchemaError, SchemaValidator, core_schema

from wtb_async.domain.json import JsonValue
from wtb_async.infrastructure.evaluation.builtin.evaluator import BuiltInEvaluator

MAX_SEARCHED = 1_000_000
"""Characters of an output that are searched."""


class Contains(BuiltInEvaluator):
    """True when the output contains a text: the one given, or else the reference."""

    text: str | None = None
    ignore_case: bool = False

    def __call__(self, outputs: JsonValue, reference_outputs: JsonValue) -> bool:
        """Search. Raises TypeError where there is no text."""
        wanted = _text(reference_outputs, "reference_outputs") if self.text is None else self.text
        searched = _text(outputs, "outputs")
        if self.ignore_case:
            return wanted.casefold() in searched.casefold()
        return wanted in searched


class Regex(BuiltInEvaluator):
    r"""True when a regular expression is found in the output.

    The expressions come from callers, and Python's engine can be made to search for ever. So this
    is the engine of Rust, whose time is linear in the text; it knows no look-around and no
    backreferences. `(?i)` ignores case, `^` and `$` are the ends of the text.
    """

    pattern: Annotated[str, Field(max_length=1000)]
    _search: SchemaValidator = PrivateAttr()

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        _searcher(pattern)
        return pattern

    def model_post_init(self, context: Any, /) -> None:  # noqa: ANN401, ARG002
        """Compile once."""
        self._search = _searcher(self.pattern)

    def __call__(self, outputs: JsonValue) -> bool:
        """Search. Raises TypeError where there is no text."""
        return self._search.isinstance_python(_text(outputs, "outputs"))


def _searcher(pattern: str) -> SchemaValidator:
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError as error:
        problem = str(error).rpartition("SchemaError:")[2]
        raise ValueError(" ".join(problem.split())) from error


def _text(value: JsonValue, name: str) -> str:
    if not isinstance(value, str):
        option = "output" if name == "outputs" else "reference"
        raise TypeError(f"{name} is no text; say where it is with `{option}`")
    if len(value) > MAX_SEARCHED:
        raise ValueError(f"{name} has more than {MAX_SEARCHED} characters")
    return value
