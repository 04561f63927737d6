"""What is told to NetworkManager's and ModemManager's command line programs about a modem, and what their answers mean.
Pure, but for the file with secrets.

Source: NetworkManager's src/libnmc-base/nm-client-utils.c (nmc_utils_parse_passwd_file: what a line with a secret may
be) and clients/common/nm-secret-agent-simple.c (a modem's secrets are gsm.pin and gsm.password); ModemManager's
cli/mmcli-output.c (names of the JSON fields).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import field, frozen

from concentrator.wire.mmcli import said_at, text_at

NOT_SAVED, NOT_REQUIRED = "2", "4"
"""NetworkManager's flags of a secret: asked for with each connection; not there."""
_NONE = "--"
_REGISTERED = ("registered", "connecting", "connected", "disconnecting")
_SEARCHING = ("initializing", "enabling", "enabled", "searching")


@frozen
class MobileTerms:
    """What a data connection is to be. `modem` is ModemManager's number or "any"; empty texts are not set."""

    name: str
    is_enabled: bool = True
    modem: str = "any"
    apn: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    pin: str = field(default="", repr=False)

    @property
    def connection(self) -> str:
        """NetworkManager's name for it."""
        return f"ccmaster-{self.name}"


@frozen
class ModemSight:
    """A modem as ModemManager sees it: its state; what its SIM asks for, empty where it is not locked; how many tries
    of the PIN are left (None: not known); its network, signal in percent, the port by which NetworkManager knows it,
    and its network card."""

    state: str = ""
    lock: str = ""
    tries: int | None = None
    operator: str = ""
    signal: int | None = None
    port: str = ""
    card: str = ""

    @property
    def radio(self) -> str:
        """off, searching or registered."""
        return "registered" if self.state in _REGISTERED else "searching" if self.state in _SEARCHING else "off"


def sight_of(said: Any) -> ModemSight:
    """A modem, from what `mmcli -m MODEM -J` says."""
    state = text_at(said, "modem", "generic", "state")
    signal = text_at(said, "modem", "generic", "signal-quality", "value")
    retries = re.search(r"\bsim-pin \((\d{1,3})\)", _joined(said, "modem", "generic", "unlock-retries"))
    card = re.search(r"([\w.-]+) \(net\)", _joined(said, "modem", "generic", "ports"))
    return ModemSight(
        state=state,
        # A modem that works may be waiting for a second PIN, which nobody needs.
        lock=(text_at(said, "modem", "generic", "unlock-required") or "a code") if state == "locked" else "",
        tries=int(retries[1]) if retries else None,
        operator=text_at(said, "modem", "3gpp", "operator-name"),
        signal=int(signal) if re.fullmatch(r"\d{1,3}", signal) else None,
        port=text_at(said, "modem", "generic", "primary-port"),
        card=card[1] if card else "",
    )


def wanted(terms: MobileTerms, port: str) -> dict[str, str]:
    """The properties that NetworkManager's connection is to have, on a modem's port where one is named. None of them is
    a secret. It is the box that connects: the connection does not come up by itself, for then nobody would give it its
    secrets."""
    return {
        "connection.autoconnect": "no",
        "connection.interface-name": port,
        "gsm.auto-config": "no" if terms.apn else "yes",
        "gsm.apn": terms.apn,
        "gsm.username": terms.user,
        "gsm.password-flags": NOT_SAVED if terms.password else NOT_REQUIRED,
        "gsm.pin-flags": NOT_SAVED if terms.pin else NOT_REQUIRED,
    }


def adding(connection: str, properties: Mapping[str, str]) -> tuple[str, ...]:
    """What makes a connection."""
    port = properties["connection.interface-name"] or "*"
    others = {name: value for name, value in properties.items() if value and name != "connection.interface-name"}
    told = [each for pair in others.items() for each in pair]
    return ("con", "add", "type", "gsm", "ifname", port, "con-name", connection, *told)


def changing(connection: str, properties: Mapping[str, str]) -> tuple[str, ...]:
    """What gives a connection other properties."""
    return ("con", "modify", "id", connection, *(each for pair in properties.items() for each in pair))


def listed(said: str) -> dict[str, tuple[str, str]]:
    """The connections by name, each with its type and state, from `-t -e yes -f NAME,TYPE,STATE con show`."""
    rows = (split(line) for line in said.splitlines())
    return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3}


def properties_of(said: str) -> dict[str, str]:
    """The properties of one connection, from `-t -e yes -f NAME,… con show id CONNECTION`: one a line."""
    rows = (line.partition(":") for line in said.splitlines())
    return {name: "" if value == _NONE else _plain(value) for name, _, value in rows}


def differing(wanted: Mapping[str, str], there: Mapping[str, str]) -> dict[str, str]:
    """Those of the wanted properties that are not there as they should be. A flag may be told with its meaning, `2 (not
    saved)`."""

    def is_there(name: str, value: str) -> bool:
        found = there.get(name, "")
        return (found.partition(" ")[0] if name.endswith("-flags") else found) == value

    return {name: value for name, value in wanted.items() if not is_there(name, value)}


def split(line: str) -> list[str]:
    """The fields of a line in nmcli's terse form, where a backslash stands before a colon that is part of one."""
    return re.sub(r"\\(.)|:", lambda found: found[1] or "\n", line).split("\n")


def passwords(password: str, pin: str) -> str:
    """The file for `passwd-file`, with those that are there; empty where none is."""
    told = {"gsm.password": password, "gsm.pin": pin}
    return "".join(f"{name}:{_escaped(value)}\n" for name, value in told.items() if value)


@contextmanager
def secret_file(path: Path, content: str) -> Iterator[Path]:
    """A file that nobody else may read, while it is needed. OSError as the system has it."""
    with suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def _escaped(text: str) -> str:
    return re.sub(r"([\\ ])", r"\\\1", text)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _joined(said: Any, *names: str) -> str:
    """What it said there: a list as one text, or a text that stands for one."""
    found = said_at(said, *names)
    return ", ".join(map(str, found)) if isinstance(found, list) else text_at(said, *names)
