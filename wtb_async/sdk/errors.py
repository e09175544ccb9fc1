"""What a caller of the REST API can run into; every message says what to do next."""

from collections.abc import Sequence

from wtb_async.domain.errors import Violation, WtbError

_ADVICE = {
    401: "Give a valid API key (WTB_API_KEY).",
    403: "Use a key with the scope that this needs.",
    404: "Check the id; objects of another project do not show.",
    409: "Look at its present state and try again.",
    412: "Somebody changed it meanwhile; read it again first.",
    413: "Send less at once.",
    429: "Wait a moment and try again.",
    503: "The server is starting or overloaded; try again in a moment.",
}


class ApiError(WtbError):
    """The server refused the request (RFC 9457 problem details)."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        title: str,
        detail: str = "",
        errors: Sequence[Violation] = (),
    ) -> None:
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        super().__init__(self._message())

    def _message(self) -> str:
        lines = [self.detail or self.title]
        if advice := _ADVICE.get(self.status):
            lines.append(advice)
        lines += [f"{each.field}: {each.message}" for each in self.errors]
        return "\n".join(lines)


class ServerUnreachable(WtbError):
    """Nothing answers at the server's address, or the connection broke."""

    code = "unreachable"

    def __init__(self, url: str, reason: object) -> None:
        super().__init__(
            f"no answer from {url} ({reason}). "
            'Is it running? "wtb status" tells for a local stack, "wtb up" starts one.'
        )


class UnexpectedAnswer(WtbError):
    """What answers at the address does not speak like a WTB server of this version."""

    code = "unexpected_answer"

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} does not answer like a WTB server; check WTB_URL and its version")
