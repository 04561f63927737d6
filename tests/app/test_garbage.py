"""concentrator.app.garbage: what was loaded is left alone, and what refers to itself is found all the same."""

import subprocess
import sys

LOOKS = """
import gc, weakref
from concentrator.app import garbage

class Ring:
    pass

garbage.nothing_yet()
assert not gc.isenabled()
loaded = Ring()
garbage.settle()
assert gc.isenabled() and gc.get_freeze_count() > 1000

ring = Ring()
ring.me = ring
seen = weakref.ref(ring)
del ring
kept = [[] for _ in range(2 * garbage.YOUNG)]
assert seen() is None
"""


def test_what_refers_to_itself_is_found_after_loading():
    subprocess.run([sys.executable, "-c", LOOKS], check=True)


LEFT_OVER = """
import gc, linecache, weakref
from concentrator.app import garbage

garbage.nothing_yet()
class Ring:
    pass

ring = Ring()
ring.me, seen = ring, weakref.ref(ring)
del ring
from concentrator.api import LineState

assert any(name.startswith("<attrs generated") for name in linecache.cache)
twice = [each for each in object.__subclasses__() if each.__name__ == "LineState"]
assert len(twice) == 2 and seen() is not None
del twice
garbage.settle()
assert not linecache.cache and seen() is None
assert [each for each in object.__subclasses__() if each.__name__ == "LineState"] == [LineState]
garbage.give_back()
assert LineState("native", "serial:/dev/ttyS0", True).name == "native"
"""


def test_what_loading_left_over_is_let_go():
    subprocess.run([sys.executable, "-c", LEFT_OVER], check=True)
