import pytest

from concentrator.app.address import (
    broker_address,
    listen_address,
    topic_prefix,
    wire_address,
)
from concentrator.app.rule import Mismatch


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        (wire_address(), "serial:/dev/ttyUSB0"),
        (wire_address(), "serial:/dev/ttyUSB0:baudrate=19200:parity=E:stopbits=2:bytesize=7"),
        (wire_address(), r"serial:/dev/serial/by-path/pci-0000\:00"),
        (wire_address(), "tcp:192.168.4.20:502"),
        (wire_address(), r"tcp:\:\:1:502:timeout=3"),
        (wire_address(), "unix:/run/x.sock"),
        (wire_address(), "tls:converter.example:802"),
        (listen_address(), "tcp:0"),
        (listen_address(), "tcp:65535:interface=10.0.0.1"),
        (listen_address(), r"tcp:80:interface=\:\:"),
        (broker_address(), "mqtt://10.0.0.1"),
        (broker_address(), "mqtts://broker.example/"),
        (topic_prefix(), "/a"),
        (topic_prefix(), "/a b/ç"),
    ],
)
def test_a_right_address_stays_as_it_is_written(rule, written):
    assert rule.read(written) == written


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        (wire_address(), 502),
        (wire_address(), ""),
        (wire_address(), "serial:"),
        (wire_address(), "serial:/dev/x:baudrate=fast"),
        (wire_address(), "serial:/dev/x:stopbits=3"),
        (wire_address(), "serial:/dev/x:flow=1"),
        (wire_address(), "tcp:"),
        (wire_address(), "tcp:host:"),
        (wire_address(), "tcp::502"),
        (wire_address(), "tcp:host:65536"),
        (wire_address(), "tcp:host:502:interface=x"),
        (wire_address(), "udp:host:502"),
        (wire_address(), "/dev/ttyUSB0"),
        (listen_address(), 8080),
        (listen_address(), "8080"),
        (listen_address(), "tcp:65536"),
        (listen_address(), "tcp:80:interface=localhost"),
        (listen_address(), "ssl:443:privateKey=x"),
        (broker_address(), 1),
        (broker_address(), "http://broker"),
        (broker_address(), "mqtt:broker"),
        (broker_address(), "mqtt://"),
        (broker_address(), "mqtt://[::1"),
        (broker_address(), "mqtt://broker/path"),
        (broker_address(), "mqtt://broker?x=1"),
        (topic_prefix(), "/"),
        (topic_prefix(), "a/b"),
        (topic_prefix(), "/a//b"),
        (topic_prefix(), "/a/#"),
        (topic_prefix(), "/a\0"),
    ],
)
def test_a_wrong_address_is_refused(rule, written):
    with pytest.raises(Mismatch):
        rule.read(written)


@pytest.mark.parametrize(
    ("written", "hint"), [("mqtt://broker:1883", "mqtt://broker"), ("mqtts://me:x@b", "mqtts://b")]
)
def test_what_a_brokers_address_has_too_much_is_left_out_of_the_hint(written, hint):
    with pytest.raises(Mismatch) as mismatch:
        broker_address().read(written)
    assert mismatch.value.hint == hint
