"""Transparent M-Bus gateways in the configuration file."""

from ipaddress import ip_network

import pytest

LINE = '[line.mbus]\nendpoint = "serial:/dev/ttyUSB7"\nrole = "mbus"\n'
OTHER = '[line.other]\nendpoint = "serial:/dev/ttyUSB8"\nrole = "mbus"\n'
NATIVE = '[line.native]\nendpoint = "tcp:10.0.0.9:502"\n'


def gateway(name="main", line="mbus", **keys):
    rest = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f'[mbus_gateway.{name}]\nline = "{line}"\n{rest}'


def test_the_defaults_are_the_originals_and_nobody_from_the_internet_may_connect(config):
    main = config(LINE + gateway()).gateways["main"]
    assert (main.port, main.keepalive_s, main.disconnect_timeout_s) == (10001, 45.0, 10.0)
    assert (main.when_busy, main.sharing, main.forwarding) == ("refuse", "exclusive", "bytes")
    assert all(network.is_private or network.is_link_local for network in main.allow)
    assert main.ports == {"port": 10001}


def test_what_is_written_is_what_there_is(config, tmp_path):
    text = LINE + gateway(
        port=0, tls_port=10002, cert_file='"box.pem"', allow='["192.168.1.0/24", "10.1.2.3"]', addresses="[1, 253]"
    )
    main = config(text).gateways["main"]
    assert main.ports == {"tls_port": 10002}
    assert main.cert_file == main.key_file == tmp_path / "box.pem"
    assert main.allow == (ip_network("192.168.1.0/24"), ip_network("10.1.2.3/32"))
    assert main.addresses == (1, 253)


def test_two_lines_can_have_a_gateway_each(config):
    both = LINE + OTHER + gateway() + gateway("second", "other", port=10002)
    assert list(config(both).gateways) == ["main", "second"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (LINE + gateway(line="mbsu"), 'line: found "mbsu", expected one of mbus (did you mean mbus?)'),
        (gateway(), "expected a section [line.NAME] whose role is mbus"),
        (NATIVE + gateway(line="native"), "whose role is native, expected a line whose role is mbus"),
        (LINE + gateway() + gateway("second", port=10002), 'found "mbus", which [mbus_gateway.main] has'),
        (LINE + OTHER + gateway() + gateway("second", "other"), "10001, which [mbus_gateway.main] port has"),
        (LINE + gateway(tls_port=10001, cert_file='"x"'), "tls_port: found 10001, which [mbus_gateway.main] port has"),
        (LINE + gateway(port=0), "expected a port, for there is no tls_port either"),
        (LINE + gateway(tls_port=10002), "cert_file: found nothing, expected the box's certificate"),
        (LINE + gateway(allow='["everybody"]'), "each item a network"),
        (LINE + gateway(interface='"eth0"'), "expected an IP address of the box"),
        (LINE + gateway(addresses="[256]"), "each item a whole number 0 … 255"),
    ],
)
def test_faults_are_told(faults, text, fault):
    (found,) = faults(text)
    assert fault in found


def test_one_that_is_off_is_in_nobodys_way(config):
    config(LINE + gateway() + gateway("second", enabled="false"))


def test_one_that_is_open_to_the_world_is_warned_of(config):
    wide = LINE + gateway(allow='["0.0.0.0/0"]')
    (warning,) = [each for each in config(wide).warnings if "mbus_gateway" in each]
    assert "anybody in 0.0.0.0/0 may talk to its meters, without a password" in warning
    known = LINE + gateway(allow='["0.0.0.0/0"]', port=0, tls_port=1, cert_file='"x"', clients_ca_file='"y"')
    assert not [each for each in config(known).warnings if "mbus_gateway" in each]
