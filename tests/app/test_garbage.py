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
