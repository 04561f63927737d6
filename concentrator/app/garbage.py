"""What the program does not need any more, while it is loaded and when it is. There is next to no garbage that refers to
itself in a running box, and where a thousand devices are read the looking for it is felt; but loading leaves some: attrs
makes each class twice and keeps the source of what it wrote. Hides the interpreter's and the C library's switches.

What is given back between two parts is taken by the next one. Given back at the end it would only leave holes.
"""

from __future__ import annotations

import ctypes
import gc
import linecache

YOUNG = 20_000
"""How many objects are made, more than given back, before the young ones are looked through: a few milliseconds of
work, and a few megabytes at most that wait for it."""


def nothing_yet() -> None:
    """The program is being loaded, and is in a hurry: nothing is looked through."""
    gc.disable()


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
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # the GNU library's own
    if trim is not None:
        trim(0)
