import os
import resource
import time

from concentrator.system.process import usage


def test_what_the_process_takes_is_what_others_say_it_takes(tmp_path):
    before = usage()
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    files = [open(tmp_path / str(number), "w") for number in range(5)]  # noqa: SIM115
    after = usage()
    for file in files:
        file.close()
    assert before.cpu_s < after.cpu_s <= time.process_time() + 0.02
    assert 0.2 < after.resident / (1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) <= 1.01
    assert after.files == before.files + 5


def test_a_name_with_brackets_and_spaces_does_not_confuse_the_count(tmp_path):
    (tmp_path / "stat").write_text("7 (a) b (c) S 1 1 1 0 -1 4194560 1 1 1 1 250 150 0 0 20 0 1 0 5 0 0")
    (tmp_path / "statm").write_text("100 50 10 1 0 20 0")
    (tmp_path / "fd").mkdir()
    found = usage(tmp_path)
    assert found.cpu_s == 400 / os.sysconf("SC_CLK_TCK")
    assert (found.resident, found.files) == (50 * os.sysconf("SC_PAGE_SIZE"), 0)
