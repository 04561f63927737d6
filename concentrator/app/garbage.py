"""When the interpreter looks for garbage that refers to itself. There is next to none, and where a
thousand devices are read the looking is felt. Hides the interpreter's switches."""

from __future__ import annotations

import gc

YOUNG = 20_000
"""How many objects are made, more than given back, before the young ones are looked through: a few milliseconds of
work, and a few megabytes at most that wait for it."""


def nothing_yet() -> None:
    """The program is being loaded: nothing made while loading is garbage."""
    gc.disable()


def settle() -> None:
    """The program is loaded: what is there now stays, and is not looked at again."""
    gc.freeze()
    gc.set_threshold(YOUNG)
    gc.enable()
