"""Where a blob is, in any store: `objects/ab/cdef...` for the hash `abcdef...`."""

OBJECTS = "objects"


def object_key(sha256: str) -> str:
    """The key of a blob."""
    return f"{OBJECTS}/{sha256[:2]}/{sha256[2:]}"


def sha256_of_key(key: str) -> str:
    """The hash of the blob with this key."""
    _, first, rest = key.rsplit("/", 2)
    return first + rest
