"""What an execution took: time, tokens, money. Less is better."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.infrastructure.evaluation.builtin.evaluator import BuiltInEvaluator
from wtb_async.infrastructure.evaluation.views import RunView

MILLION = 1_000_000
ANY_MODEL = "*"

Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Usage:
    """What one message of a model took, in tokens."""

    model: str
    input: int
    output: int
    total: int
    cached: int
    """The part of `input` that was read from the provider's cache."""


class Latency(BuiltInEvaluator):
    """How long the graph ran, in milliseconds."""

    lower_is_better: ClassVar[bool] = True

    def __call__(self, run: RunView) -> float | None:
        """Read the clock."""
        return run.duration_ms


class Tokens(BuiltInEvaluator):
    """How many tokens all messages of models in the output took."""

    lower_is_better: ClassVar[bool] = True

    count: Literal["total", "input", "output"] = "total"

    def __call__(self, outputs: JsonValue) -> int:
        """Count. Raises LookupError where no message says."""
        return sum(getattr(usage, self.count) for usage in _usages_in(outputs))


class ModelPrices(BaseModel):
    """What a million tokens of a model cost, in a currency of the caller's choice."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    input: Price
    output: Price
    cached_input: Price | None = None
    """What comes out of the provider's cache; the same as `input` when left out."""

    def of(self, usage: Usage) -> float:
        """The price of one message."""
        cached = self.input if self.cached_input is None else self.cached_input
        fresh = usage.input - usage.cached
        return (fresh * self.input + usage.cached * cached + usage.output * self.output) / MILLION


class Cost(BuiltInEvaluator):
    """What all messages of models in the output cost."""

    lower_is_better: ClassVar[bool] = True

    prices: Annotated[dict[str, ModelPrices], Field(min_length=1)]
    """By the name of the model as the provider gives it; `*` is every other model."""

    def __call__(self, outputs: JsonValue) -> float:
        """Add up. Raises LookupError where no message says, and for a model without a price."""
        return sum(self._price_of(usage.model).of(usage) for usage in _usages_in(outputs))

    def _price_of(self, model: str) -> ModelPrices:
        prices = self.prices.get(model) or self.prices.get(ANY_MODEL)
        if prices is None:
            raise LookupError(f"there is no price for model {model!r}")
        return prices


def find_usages(value: JsonValue) -> list[Usage]:
    """What the messages in a value took; a message that stands in several places counts once."""
    found: dict[object, Usage] = {}
    for message in _messages_in(value):
        # Messages of some models have no id; then each place is a message of its own.
        found[message.get("id") or len(found)] = _usage_of(message)
    return list(found.values())


def _usages_in(outputs: JsonValue) -> list[Usage]:
    if not (found := find_usages(outputs)):
        raise LookupError("no message in the outputs has usage_metadata")
    return found


def _messages_in(value: JsonValue) -> Iterator[JsonObject]:
    """The messages of LangChain that say what they took."""
    match value:
        case dict():
            if _says_what_it_took(value):
                yield value
                return
            for item in value.values():
                yield from _messages_in(item)
        case list():
            for item in value:
                yield from _messages_in(item)


def _says_what_it_took(value: JsonObject) -> bool:
    match value.get("usage_metadata"):
        case {"input_tokens": int(), "output_tokens": int()}:
            return True
        case _:
            return False


def _usage_of(message: JsonObject) -> Usage:
    usage: dict[str, Any] = message["usage_metadata"]
    about = message.get("response_metadata") or {}
    read, written = usage["input_tokens"], usage["output_tokens"]
    return Usage(
        model=str(about.get("model_name") or about.get("model") or ""),
        input=read,
        output=written,
        total=usage.get("total_tokens") or read + written,
        cached=(usage.get("input_token_details") or {}).get("cache_read") or 0,
    )
