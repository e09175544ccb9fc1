"""Evaluators of letters, as LangSmith calls them."""

from typing import Any


async def longer(outputs: list[dict[str, Any]]) -> list[int]:
    """Prefer the longer of two words."""
    return [len("".join(each["letters"])) for each in outputs]


def words(outputs: list[dict[str, Any]]) -> int:
    """Count the words that there are."""
    return len({"".join(each["letters"]) for each in outputs})
