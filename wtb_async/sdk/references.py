"""How code is named to whoever runs it: never by itself, always by a reference."""

import sys
from collections.abc import Callable

from wtb_async.domain.errors import WtbError

Code = str | object
"""A graph, a factory of one, a node or an evaluator: the object, or its reference as text."""

Refer = Callable[[str, object], str]
"""Makes a reference of an object, given what the object is to its workflow."""


class NotImportable(WtbError):
    """A server cannot find this object, because no import leads to it."""

    code = "not_importable"

    def __init__(self, role: str, found: object) -> None:
        super().__init__(
            f"{role}: a server can only import what has a name at the top level of a module, and "
            f"{found!r} has none. Define it in a module below the server's langgraph.json and give "
            "it from there, or as text 'package.module:name'. WTBTestBench.local() takes it as it "
            "is."
        )


def reference_of(code: Code, role: str, refer: Refer) -> str:
    """The reference of an object; text is one already."""
    return code if isinstance(code, str) else refer(role, code)


def importable_reference(role: str, found: object) -> str:
    """`module:name` of a function, for any process that has the module.

    Raises:
        NotImportable: it is a lambda, a closure, a method, an instance, or of a script or notebook.
    """
    reference = find_importable(found)
    if reference is None:
        raise NotImportable(role, found)
    return reference


def find_importable(found: object) -> str | None:
    """`module:name`, if importing the module and looking the name up gives this very object."""
    module = getattr(found, "__module__", None)
    name = getattr(found, "__qualname__", "")
    if not isinstance(module, str) or module == "__main__" or not str(name).isidentifier():
        return None
    if getattr(sys.modules.get(module), name, None) is not found:
        return None
    return f"{module}:{name}"
