"""What all built-in evaluators have in common."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class BuiltInEvaluator(BaseModel):
    """An evaluator whose fields are the arguments that callers may give it.

    It is quick and asks nobody else, so it is called on the event loop. Subclasses define
    `__call__` with the names of LangSmith's convention.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    lower_is_better: ClassVar[bool] = False
