"""What the program does not need any more, while it is loaded and when it is. There is next to no garbage that refers
to itself in a running box, and where a thousand devices are read the looking for it is felt; but loading leaves some:
attrs makes each class twice and keeps the source of what it wrote. Hides the switches of interpreter and C library.

What is given back between two parts is taken by the next one. Given back at the end it would only leave holes.
"""

from __future__ import annotations

import ctypes
import gc
import linecache
from typing import Any

YOUNG = 20_000
"""How many objects are made, more than given back, before the young ones are looked through: a few milliseconds of
work, and a few megabytes at most that wait for it."""


_M_ARENA_MAX = -8  # mallopt(3)


def nothing_yet() -> None:
    """The program is being loaded, and is in a hurry: nothing is looked through. And no thread begins a heap of its
    own, which would be another one with holes: the interpreter lets one run at a time anyway."""
    gc.disable()
    if (choose := _of_the_library("mallopt")) is not None:
        choose(_M_ARENA_MAX, 1)


def settle() -> None:
    """A part of the program is loaded: what it left over is let go, what is there now stays, and is not looked at
    again. Takes a millisecond for a thousand objects that are new."""
    linecache.clearcache()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
    gc.enable()


def give_back() -> None:
    """All of the program is loaded: gives what the C library keeps for later back to the system, where it can, about a
    megabyte. Takes some milliseconds."""
    settle()
    if (trim := _of_the_library("malloc_trim")) is not None:
        trim(0)


def _of_the_library(name: str) -> Any:
    """A function of the C library; None of one that is not the GNU project's, as these are."""
    return getattr(ctypes.CDLL(None), name, None)
