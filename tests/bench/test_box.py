"""What the whole box takes is read from the process and shown beside the peer's figures."""

import os
import re
import sys

from bench.box import CCMASTER, PLAIN, SECURE, THINGSBOARD, Footprint, report
from bench.process import last_words, peak_mib, rss_mib, running


def test_memory_is_the_process_s_own_and_the_peak_is_the_most_there_was():
    spent = bytearray(32 * 2**20)
    spent[::4096] = b"x" * len(spent[::4096])
    before = rss_mib(os.getpid())
    del spent
    assert before >= 32
    assert rss_mib(os.getpid()) <= before - 16
    assert peak_mib(os.getpid()) >= before - 2  # the kernel counts in batches


def test_everything_a_process_says_is_kept_where_that_is_wanted(tmp_path):
    script = (
        "import os, sys; print(os.environ['SAID'], flush=True); sys.stderr.write('aloud'); sys.stderr.flush(); input()"
    )
    words = tmp_path / "words"
    with running(
        [sys.executable, "-c", script], words, {**os.environ, "SAID": "in a low voice"}, all_in_words=True
    ) as it:
        it.stdin.write("\n")
        it.stdin.flush()
        assert it.wait(30) == 0
        assert it.stdout is None
    assert sorted(last_words(words).replace("\n", "|").split("|")) == ["aloud", "in a low voice"]


def test_starts_and_memory_stand_beside_what_is_quoted():
    runs = [
        THINGSBOARD,
        Footprint(CCMASTER, PLAIN, start_s=0.4),
        Footprint(CCMASTER, PLAIN, start_s=0.5),
        Footprint(CCMASTER, PLAIN, rss_mib=56.0, peak_mib=57.5, files=128),
        Footprint(CCMASTER, SECURE, rss_mib=71.0, peak_mib=71.0, files=96),
    ]
    lines = report(runs).splitlines()
    (plain,) = (line for line in lines if re.match(rf"{PLAIN}\s+{CCMASTER}\s", line))
    assert "0.450 (0.400..0.500)" in plain
    assert "0.459" in plain  # of the 0.981 s quoted
    assert "56.0" in plain
    assert "0.870" in plain  # of 64.4 MiB
    (secure,) = (line for line in lines if line.startswith(SECURE))
    assert secure.split()[-1] == "96"
