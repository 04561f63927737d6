"""concentrator.app.reboot: the answer first, then the end in order."""

import atexit

import pytest
from twisted.internet.task import Clock

from concentrator.app.reboot import EXIT_AGAIN, PAUSE_S, Reboot, _end_to_be_started_again
from concentrator.model.errors import CommandError


class Recorder(Clock):
    """A reactor that writes down what it is told."""

    def __init__(self):
        super().__init__()
        self.told = []

    def stop(self):
        self.told.append("stop")

    def spawnProcess(self, protocol, executable, args):  # noqa: N802
        self.told.append(args)


@pytest.fixture
def reactor():
    return Recorder()


def test_the_program_ends_in_order_a_moment_after_it_was_told(reactor, monkeypatch):
    at_exit, events = [], []
    monkeypatch.setattr(atexit, "register", at_exit.append)
    reboot = Reboot(reactor, lambda name, facts: events.append((name, facts["what"])))
    assert reboot("service") == PAUSE_S
    assert reboot("service") == PAUSE_S, "told twice, done once"
    assert (reactor.told, events) == ([], [("box.restarting", "service")])
    reactor.advance(PAUSE_S)
    assert (reactor.told, at_exit) == (["stop"], [_end_to_be_started_again])


def test_it_ends_with_the_status_that_asks_for_another_start(monkeypatch):
    status = []
    monkeypatch.setattr("os._exit", status.append)
    _end_to_be_started_again()
    assert status == [EXIT_AGAIN]


def test_the_machine_is_told_by_systemctl(reactor, tmp_path, monkeypatch):
    systemctl = tmp_path / "systemctl"
    systemctl.write_text("")
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    Reboot(reactor, lambda name, facts: None, tmp_path)("machine")
    reactor.advance(PAUSE_S)
    assert reactor.told == [[str(systemctl), "reboot"]]


def test_a_machine_without_systemd_says_so_and_nothing_is_done(reactor, tmp_path):
    events = []
    reboot = Reboot(reactor, lambda name, facts: events.append(name), tmp_path / "absent")
    with pytest.raises(CommandError, match="no systemd"):
        reboot("machine")
    assert (events, reactor.getDelayedCalls()) == ([], [])
