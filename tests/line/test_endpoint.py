"""concentrator.line.endpoint: what descriptions mean, and ports that behave."""

import os

import pytest
from serial import serialposix
from twisted.internet import reactor
from twisted.internet.endpoints import clientFromString
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from concentrator.line.endpoint import SerialEndpoint, endpoint_from
from concentrator.line.serial_address import SerialAddress, parse_serial
from concentrator.model.errors import LineLost
from concentrator.model.trouble import facts_of, kind_of

results = SynchronousTestCase()


@pytest.mark.parametrize(
    ("description", "address", "framing", "bits"),
    [
        ("serial:/dev/ttyUSB0", SerialAddress("/dev/ttyUSB0"), "9600 8N1", 10),
        (
            "serial:/dev/ttyUSB0:baudrate=19200:parity=E",
            SerialAddress("/dev/ttyUSB0", 19200, parity="E"),
            "19200 8E1",
            11,
        ),
        (
            r"serial:/dev/serial/by-path/pci-0000\:00\:14.0:stopbits=2:bytesize=7",
            SerialAddress("/dev/serial/by-path/pci-0000:00:14.0", bytesize=7, stopbits=2),
            "9600 7N2",
            10,
        ),
    ],
)
def test_a_serial_description_says_all_about_the_port(description, address, framing, bits):
    assert parse_serial(description) == address
    assert (address.framing, address.settings.bits) == (framing, bits)


def test_other_descriptions_are_left_to_twisted():
    assert parse_serial("tcp:192.168.4.20:502") is None
    assert endpoint_from(reactor, "tcp:192.168.4.20:502") is not None


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("serial:", "names no port"),
        ("serial:/dev/ttyS0:baudrate=fast", "baudrate=fast"),
        ("serial:/dev/ttyS0:baudrate=10", "baudrate=10 is not in 50 … 4000000"),
        ("serial:/dev/ttyS0:parity=X", "parity=X is none of N, E, O"),
        ("serial:/dev/ttyS0:stopbits=3", "stopbits=3"),
        ("serial:/dev/ttyS0:bytesize=9", "bytesize=9"),
        ("serial:/dev/ttyS0:speed=9600", "speed is none of"),
        ("serial:/dev/ttyS0:rs485=rts", "rs485=rts is none of driver, on, inverted"),
    ],
)
def test_a_wrong_description_is_said_in_words(description, words):
    with pytest.raises(ValueError, match=words):
        parse_serial(description)


def test_twisted_knows_serial_endpoints_too():
    endpoint = clientFromString(reactor, r"serial:/dev/tty\:1:baudrate=300")
    assert endpoint.address == SerialAddress("/dev/tty:1", 300)


class Port:
    """A pseudo-terminal to open."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        self.path = os.ttyname(self.slave)

    def open(self, **settings):
        address = SerialAddress(self.path, **settings)
        return SerialEndpoint(reactor, address).connect(Factory.forProtocol(Protocol))

    def close(self):
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def port():
    port = Port()
    yield port
    port.close()


def test_a_port_is_opened_once_and_again_when_it_was_let_go(port):
    first = results.successResultOf(port.open())
    refused = results.failureResultOf(port.open(), LineLost)
    assert refused.value.detail == f"{port.path}: another program holds the port"
    first.transport.connectionLost(refused)
    again = results.successResultOf(port.open())
    again.transport.connectionLost(refused)


def test_a_port_that_is_not_there_is_said_in_words(tmp_path):
    endpoint = SerialEndpoint(reactor, SerialAddress(str(tmp_path / "ttyUSB0")))
    refused = results.failureResultOf(endpoint.connect(Factory.forProtocol(Protocol)), LineLost)
    assert refused.value.detail == f"{tmp_path}/ttyUSB0: the port is not there"
    assert (kind_of(refused.value.detail), facts_of(refused.value.detail)) == (
        "unplugged",
        {"port": f"{tmp_path}/ttyUSB0"},
    )


def test_what_is_no_port_is_refused_with_its_name(tmp_path):
    (tmp_path / "file").write_text("")
    endpoint = SerialEndpoint(reactor, SerialAddress(str(tmp_path / "file")))
    refused = results.failureResultOf(endpoint.connect(Factory.forProtocol(Protocol)), LineLost)
    assert f"{tmp_path}/file: " in refused.value.detail


def test_a_driver_that_cannot_switch_the_transceiver_is_refused_and_the_port_let_go(port):
    refused = results.failureResultOf(port.open(rs485="on"), LineLost)
    assert refused.value.detail == f"{port.path}: its driver has no RS-485 mode, so rs485 must be left out"
    results.successResultOf(port.open()).transport.connectionLost(refused)


class Driver:
    """Takes the place of the kernel's answers to ioctl, and keeps what it was asked."""

    GET_SERIAL, SET_SERIAL, GET_RS485, SET_RS485 = 0x541E, 0x541F, 0x542E, 0x542F

    def __init__(self, ioctl):
        self._ioctl = ioctl
        self.low_latency, self.rs485 = False, 0

    def __call__(self, fd, request, argument=0, *more):
        if request == self.SET_SERIAL:
            self.low_latency = bool(argument[4] & 0x2000)  # ASYNC_LOW_LATENCY
        elif request == self.SET_RS485:
            self.rs485 = argument[0]
        elif request not in (self.GET_SERIAL, self.GET_RS485):
            return self._ioctl(fd, request, argument, *more)
        return 0


@pytest.mark.parametrize(
    ("rs485", "flags"),
    # struct serial_rs485 of linux/serial.h: 1 enabled, 2 RTS high while sending, 4 RTS high afterwards
    [("driver", 0), ("on", 0b011), ("inverted", 0b101)],
)
def test_a_driver_is_told_how_to_switch_the_transceiver_and_not_to_wait_for_more_bytes(port, monkeypatch, rs485, flags):
    driver = Driver(serialposix.fcntl.ioctl)
    monkeypatch.setattr(serialposix.fcntl, "ioctl", driver)
    opened = results.successResultOf(port.open(rs485=rs485))
    assert (driver.low_latency, driver.rs485) == (True, flags)
    opened.transport.connectionLost(None)
