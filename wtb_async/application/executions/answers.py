"""Which question an answer is for."""

from collections.abc import Iterable, Mapping

from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.json import JsonObject, JsonValue

_ID_LENGTH = 32


def answers_by_interrupt(
    given: JsonValue, interrupts: Iterable[JsonObject]
) -> Mapping[str, JsonValue]:
    """The answers by interrupt id.

    An object whose keys are all interrupt ids holds answers; anything else is the answer to the
    only open question, and None is no answer.

    Raises:
        InvalidTransition: one of the ids is not open (any more).
        InvalidInput: a bare answer while not exactly one question is open.
    """
    if given is None:
        return {}
    open_ids = [str(item["id"]) for item in interrupts if item["kind"] == "interrupt"]
    if isinstance(given, dict) and given and all(map(_is_interrupt_id, given)):
        if closed := [key for key in given if key not in open_ids]:
            raise InvalidTransition(
                f"no question {closed[0]!r} is open; open are: {', '.join(open_ids) or 'none'}"
            )
        return given
    if len(open_ids) != 1:
        message = f"name the question that each answer is for: {{id: answer}}; {len(open_ids)} open"
        raise InvalidInput.of("answers", message)
    return {open_ids[0]: given}


def _is_interrupt_id(key: str) -> bool:
    """Whether it has the form that LangGraph gives to interrupt ids: 128 bits in hexadecimal."""
    return len(key) == _ID_LENGTH and all(digit in "0123456789abcdef" for digit in key)
