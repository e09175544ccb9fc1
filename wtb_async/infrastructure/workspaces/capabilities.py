"""Giving up root's power to write to read-only files, which hard links are safe without."""

import ctypes
import os
import threading
from pathlib import Path

_CAP_DAC_OVERRIDE = 1
_PR_CAPBSET_DROP = 24
_CAPABILITY_VERSION = 0x20080522
"""Version 3 of the Linux call: two words of 32 bits for each set."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def writes_to_read_only_files(thread: int | None = None) -> bool:
    """Whether a thread of this process, by default the present one, passes over permissions."""
    status = Path(f"/proc/self/task/{thread or threading.get_native_id()}/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> _CAP_DAC_OVERRIDE & 1)


def give_up_writing_to_read_only_files() -> None:
    """Let the kernel refuse this thread, and all that it starts from now on, what others get.

    Linux keeps capabilities by thread: threads that run already keep theirs. Reading stays as it
    was. There is no way back, also not for programs that are started.

    Raises:
        OSError: the kernel does not allow to give it up.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0))
    header, sets = _Header(_CAPABILITY_VERSION, 0), (_Sets * 2)()
    _check(libc.capget(ctypes.byref(header), sets))
    for name in ("effective", "permitted", "inheritable"):
        setattr(sets[0], name, getattr(sets[0], name) & ~(1 << _CAP_DAC_OVERRIDE))
    _check(libc.capset(ctypes.byref(header), sets))


def others_write_to_read_only_files(*, except_for: str) -> bool:
    """Whether a thread that could run nodes has kept the power to.

    The main thread runs none unless it is the present one, and neither do those whose names begin
    with `except_for`.
    """
    idle = {threading.main_thread(), threading.current_thread()}
    return any(
        writes_to_read_only_files(thread.native_id)
        for thread in threading.enumerate()
        if thread not in idle and thread.native_id and not thread.name.startswith(except_for)
    )


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
