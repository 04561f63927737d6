"""Addresses as people write them: wires, brokers, where to listen. Hides that a wire may be anything Twisted can
connect to, and how much of Twisted has to be imported to know."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from concentrator.app.rule import Mismatch, Rule, text
from concentrator.line.serial_address import parse_serial


def wire_address() -> Rule:
    """A wire: a serial port or any Twisted client endpoint."""
    expected = 'a wire such as "serial:/dev/ttyUSB0:baudrate=9600" or "tcp:192.168.4.20:502"'
    serial = "serial:PATH[:baudrate=50…4000000][:bytesize=7|8][:parity=N|E|O][:stopbits=1|2][:rs485=driver|on|inverted]"

    def read(raw: Any) -> str:
        if not isinstance(raw, str):
            raise Mismatch
        kind = raw.partition(":")[0]
        try:
            if kind == "tcp":
                _demand_tcp(raw)
            elif parse_serial(raw) is None:
                from twisted.internet.endpoints import clientFromString
                from twisted.internet.testing import MemoryReactorClock

                clientFromString(MemoryReactorClock(), raw)
        except (ValueError, TypeError, OSError, KeyError):
            raise Mismatch(expected={"serial": serial, "tcp": "tcp:HOST:PORT"}.get(kind, "")) from None
        return raw

    return Rule("endpoint", expected, read)


def demand_wire(endpoint: str) -> None:
    """Raises ValueError, with what was expected, where an endpoint is no wire."""
    rule = wire_address()
    try:
        rule.read(endpoint)
    except Mismatch as error:
        raise ValueError(f"expected {error.expected or rule.expected}") from error


def _demand_tcp(description: str) -> None:
    _, host, port, *options = description.replace("\\:", "\0").split(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ValueError(description)
    if any(not re.fullmatch(r"timeout=\d+|bindAddress=.+", option) for option in options):
        raise ValueError(description)


def listen_address() -> Rule:
    """Where the portal is served: a TCP port, of all interfaces or of one."""

    def read(raw: Any) -> str:
        match = isinstance(raw, str) and re.fullmatch(r"tcp:(\d{1,5})(?::interface=(.+))?", raw)
        if not match or not 0 <= int(match[1]) <= 65535:
            raise Mismatch
        try:
            ip_address((match[2] or "0.0.0.0").replace("\\:", ":"))
        except ValueError:
            raise Mismatch from None
        return str(raw)

    return Rule("endpoint", '"tcp:PORT" or "tcp:PORT:interface=ADDRESS"', read)


def broker_address() -> Rule:
    """A broker's address, its port apart."""

    def read(raw: Any) -> str:
        try:
            parts = urlsplit(raw) if isinstance(raw, str) else None
            port = parts.port if parts else None
        except ValueError:
            raise Mismatch from None
        if not parts or parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise Mismatch
        if port is not None or "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
            raise Mismatch(hint=f"{parts.scheme}://{parts.hostname}")
        return str(raw)

    return Rule(
        "address", "mqtt://HOST or mqtts://HOST; port, user and password have keys of their own", read, "broker"
    )


def topic_prefix() -> Rule:
    """The beginning of a topic."""
    return text("a topic that begins with / and ends without, free of + and #", r"(/[^/+#\x00-\x1f\x7f]+)+", "prefix")
