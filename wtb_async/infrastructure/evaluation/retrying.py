"""Which errors of an evaluator pass by themselves, and how long to wait for that."""

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

_PASSING_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP answers of a service that is busy or restarting."""

_PASSING_NAMES = frozenset({"TransportError", "APIConnectionError", "RateLimitError"})
"""Errors of HTTP clients and model SDKs; none of these is a dependency."""


def passes_by_itself(error: BaseException) -> bool:
    """Tell whether the same call may work a little later."""
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", getattr(response, "status_code", None))
    return status in _PASSING_STATUSES or any(
        kind.__name__ in _PASSING_NAMES for kind in type(error).__mro__
    )


def retrying(attempts: int) -> AsyncRetrying:
    """Tries again after errors that pass by themselves, waiting a little longer each time."""
    return AsyncRetrying(
        retry=retry_if_exception(passes_by_itself),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.5, max=8),
        reraise=True,
    )
