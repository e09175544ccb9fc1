"""Giving up root's power to write to read-only files, which hard links are safe without."""

import ctypes
import os
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


def writes_to_read_only_files() -> bool:
    """Whether the kernel lets the present thread pass over permissions."""
    status = Path("/proc/thread-self/status").read_text()
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


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
