"""What a driver is asked and told, on a pseudo-terminal, which can some of it."""

import os
import select
import termios
import tty

import pytest

from concentrator.line.driver import DriverCounts, driver_counts, drop_damaged, forget_unsent, queued


@pytest.fixture
def pty():
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, slave
    os.close(master)
    os.close(slave)


def test_a_driver_that_does_not_count_says_so(pty):
    assert driver_counts(pty[1]) is None


def test_the_counts_are_where_the_kernel_has_them(monkeypatch):
    def ioctl(port, request, room):
        assert (port, request, len(room)) == (7, 0x545D, 80)
        return b"".join(number.to_bytes(4, "little") for number in range(20))

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    # cts, dsr, rng, dcd, rx, tx, frame, overrun, parity, brk, buf_overrun (linux/serial.h)
    assert driver_counts(7) == DriverCounts(4, 5, 6, 7, 8, 9, 10)


def test_what_waits_to_be_read_is_counted(pty):
    master, slave = pty
    assert queued(slave) == (0, 0)
    os.write(master, b"abc")
    assert select.select([slave], [], [], 10)[0], "the kernel hands them over in its own time"
    assert queued(slave)[0] == 3


def test_damaged_characters_are_dropped_or_not(pty):
    _, slave = pty

    def is_dropping():
        return bool(termios.tcgetattr(slave)[0] & termios.INPCK)

    before = termios.tcgetattr(slave)
    drop_damaged(slave, True)
    assert is_dropping()
    drop_damaged(slave, False)
    assert termios.tcgetattr(slave) == before


def test_what_was_not_sent_is_forgotten(monkeypatch, pty):
    flushed = []
    monkeypatch.setattr("termios.tcflush", lambda *given: flushed.append(given))
    forget_unsent(pty[1])
    assert flushed == [(pty[1], termios.TCOFLUSH)]


def test_a_port_that_is_gone_has_nothing_to_forget(pty):
    read, write = os.pipe()
    forget_unsent(read)
    os.close(read)
    os.close(write)
