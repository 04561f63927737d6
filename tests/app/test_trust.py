"""When the clock is believed: the rule as a table, and what the machine says."""

import ctypes
import struct
import time

import pytest

from concentrator.app.clocks import BELIEVED_FROM, MachineStart, SystemWall
from concentrator.app.trust import Reasons, Trust, has_own_clock, is_believable, is_synchronised

NOW = BELIEVED_FROM + 2e7


class Boot:
    def __init__(self, identity="boot-1"):
        self.id = identity
        self.at = 20.0

    def seconds(self):
        return self.at


@pytest.mark.parametrize(
    ("reasons", "is_believed"),
    [
        ({}, False),
        ({"is_synchronised": True}, True),
        ({"has_own_clock": True}, True),
        ({"was_set": True}, True),
        ({"was_believed": True}, True),
    ],
)
def test_a_time_is_believed_for_a_reason_only(reasons, is_believed):
    assert is_believable(Reasons(NOW, **reasons)) is is_believed


def test_no_reason_makes_a_time_believable_that_cannot_be():
    every = {"is_synchronised": True, "has_own_clock": True, "was_set": True, "was_believed": True}
    assert is_believable(Reasons(BELIEVED_FROM, **every))
    assert not is_believable(Reasons(BELIEVED_FROM - 1, **every))


class Machine:
    """A machine without a clock of its own, until a test says otherwise."""

    def __init__(self, folder, boot=None):
        self.boot = boot or Boot()
        self.is_synchronised = self.has_own_clock = False
        self.now = NOW
        self.trust = Trust(self.boot, folder / "clock", lambda: self.is_synchronised, lambda now: self.has_own_clock)

    def is_believed(self):
        return self.trust.has(self.now)

    def pass_time(self, seconds):
        self.boot.at += seconds
        self.now += seconds


def test_the_time_at_which_a_box_went_down_is_not_believed_when_it_comes_up(tmp_path):
    machine = Machine(tmp_path)
    for _ in range(5):
        assert not machine.is_believed()
        machine.pass_time(3600)
    machine.is_synchronised = True
    assert machine.is_believed()


def test_a_machine_with_a_clock_of_its_own_waits_for_nobody(tmp_path):
    machine = Machine(tmp_path)
    machine.has_own_clock = True
    assert machine.is_believed()


def test_a_clock_that_somebody_sets_is_believed(tmp_path):
    machine = Machine(tmp_path)
    machine.now = 30.0
    assert not machine.is_believed()
    machine.now = NOW
    assert machine.is_believed()


def test_what_is_believed_stays_so_though_nobody_keeps_it_right_any_more(tmp_path):
    machine = Machine(tmp_path)
    machine.is_synchronised = True
    assert machine.is_believed()
    machine.is_synchronised = False
    machine.pass_time(86_400)
    assert machine.is_believed()
    machine.now = 30.0
    assert not machine.is_believed()


def test_a_restart_of_the_program_believes_what_was_believed_and_one_of_the_machine_does_not(tmp_path):
    machine = Machine(tmp_path)
    machine.is_synchronised = True
    assert machine.is_believed()
    assert Machine(tmp_path).is_believed()
    assert not Machine(tmp_path, Boot("boot-2")).is_believed()


def test_a_memory_that_cannot_be_written_costs_nothing_but_itself(tmp_path):
    machine = Machine(tmp_path / "missing")
    machine.is_synchronised = True
    assert machine.is_believed()


def clocks(folder, *shown):
    for i, content in enumerate(shown):
        clock = folder / f"rtc{i}"
        clock.mkdir()
        if content is not None:
            (clock / "since_epoch").write_text(content)
    return folder


@pytest.mark.parametrize(
    ("shown", "has_one"),
    [
        ((), False),
        ((f"{NOW + 5:.0f}\n",), True),
        (("946684800\n",), False),  # a flat battery: 2000-01-01
        (("946684800\n", f"{NOW - 40:.0f}\n"), True),
        ((f"{NOW - 4000:.0f}\n",), False),
        (("?\n", None), False),
    ],
)
def test_a_hardware_clock_counts_if_it_agrees(tmp_path, shown, has_one):
    assert has_own_clock(NOW, clocks(tmp_path, *shown), "aarch64") is has_one


def test_every_pc_has_a_clock(tmp_path):
    assert has_own_clock(NOW, tmp_path, "x86_64")


@pytest.mark.parametrize(
    ("state", "status", "is_kept_right"),
    [(0, 0x2001, True), (5, 0x40, False), (0, 0x40, False), (5, 0, False), (-1, 0, False)],
)
def test_the_kernel_tells_whether_its_clock_is_kept_right(state, status, is_kept_right):
    def adjtimex(timex):
        struct.pack_into("@illlli", timex, 0, 0, 0, 0, 16_000_000, 16_000_000, status)
        return state

    assert is_synchronised(adjtimex) is is_kept_right


def test_this_machines_kernel_can_be_asked():
    seen = []

    def asked(timex):
        seen.append(ctypes.CDLL(None).adjtimex(timex))
        return seen[0]

    assert is_synchronised(asked) <= (seen[0] in range(5))
    assert seen[0] in range(6)


def test_this_start_of_the_machine_has_an_id_and_goes_on():
    first, second = MachineStart(), MachineStart()
    assert first.id == second.id
    assert len(first.id) >= 32
    assert 0 < first.seconds() <= second.seconds() < time.time()


def test_a_machine_that_hides_its_id_is_another_one_each_time(monkeypatch, tmp_path):
    monkeypatch.setattr("concentrator.app.clocks._BOOT_ID", tmp_path / "missing")
    assert MachineStart().id != MachineStart().id


def test_the_wall_clock_asks_whether_to_believe_what_it_shows():
    asked = []
    wall = SystemWall(lambda now: asked.append(now) or len(asked) > 1)
    assert [wall.is_trusted(), wall.is_trusted()] == [False, True]
    assert abs(asked[0] - wall.now()) < 60


def test_a_time_that_was_told_by_whom_the_operator_trusts_is_believed_however_little_the_clock_moved():
    trust = Trust(Boot(), synchronised=lambda: False, clocked=lambda now: False)
    assert not trust.has(BELIEVED_FROM + 1000.0)
    trust.told()
    assert trust.has(BELIEVED_FROM + 1001.0)
