"""Garbage collection in processes that load much and then serve for long."""

import gc


def freeze_what_is_loaded() -> None:
    """Leave everything loaded so far out of later collections, and make those rarer.

    Modules and their tables live as long as the process. A full collection that walks all of them
    holds a process up for a tenth of a second, whenever a large request happens to start one.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
