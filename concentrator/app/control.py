"""Asking a running box, and having it do things, through the socket in its state folder; and what it says of itself in
words. Hides that the box speaks HTTP there, and every way of there being nobody."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from concentrator.model.errors import ConcentratorError

SOCKET = "control.sock"
_PATIENCE_S = 10.0
_ACTION_PATIENCE_S = 300.0  # a slow M-Bus meter takes minutes to be read, while others have their turn


class NotAnswering(ConcentratorError):
    """No running concentrator answers."""


class NotDone(ConcentratorError):
    """The box did not do this."""

    def __init__(self, detail: str = "", code: str = "") -> None:
        super().__init__(detail)
        self.code = code

    @property
    def sentence(self) -> str:
        """What the box said."""
        return self.detail


class _Connection(HTTPConnection):
    def __init__(self, path: Path, patience_s: float) -> None:
        super().__init__("box", timeout=patience_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(state_dir: Path, address: str) -> Any:
    """What the box whose state folder this is answers to GET `address`, JSON as Python values. Raises NotAnswering."""
    status, found = _exchange(state_dir, "GET", address, None, _PATIENCE_S)
    if status != 200:
        raise NotAnswering(f"{address}: {_message(found)}")
    return found


def act(state_dir: Path, name: str, /, **arguments: object) -> Any:
    """Has the box carry out an action, and gives its result, JSON as Python values; arguments that are None are not
    sent. Raises NotAnswering, and NotDone with what the box says of it and its short name."""
    body = json.dumps({key: value for key, value in arguments.items() if value is not None}).encode()
    status, found = _exchange(state_dir, "POST", f"/api/actions/{name}", body, _ACTION_PATIENCE_S)
    if status != 200:
        error = found.get("error") if isinstance(found, dict) else None
        raise NotDone(_message(found), str(error.get("code", "")) if isinstance(error, dict) else "")
    return found


def _exchange(state_dir: Path, method: str, address: str, body: bytes | None, patience_s: float) -> tuple[int, Any]:
    path = state_dir / SOCKET
    connection = _Connection(path, patience_s)
    try:
        connection.request(method, address, body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (FileNotFoundError, ConnectionRefusedError):
        raise NotAnswering(f"nobody listens at {path}; is it running, and is this its state folder?") from None
    except PermissionError:
        raise NotAnswering(f"no permission for {path}; ask as the user it runs as, or with sudo") from None
    except TimeoutError:
        raise NotAnswering(f"{path}: no answer within {patience_s:g} s") from None
    except (OSError, HTTPException, ValueError) as error:
        raise NotAnswering(f"{path}: {error}") from error
    finally:
        connection.close()


def _message(found: Any) -> str:
    error = found.get("error") if isinstance(found, dict) else None
    return str(error.get("message", error)) if isinstance(error, dict) else str(found)


def status_lines(status: Mapping[str, Any]) -> Iterator[str]:
    """What `/api/status` says, for people."""
    box = status["box"]
    yield f"CcMaster {box['serial']} ({box['model']}), version {box['version']}, up {_span(box['uptime_s'])}"
    if not status["clock_trusted"]:
        yield "  the clock is not trusted yet: records wait"
    healths = ", ".join(f"{count} {name}" for name, count in status["devices"].items() if name != "total" and count)
    yield f"  devices  {status['devices']['total']}{f': {healths}' if healths else ''}"
    for line in status["lines"]:
        yield f"  line     {line['name']} ({line['endpoint']}): {'open' if line['is_open'] else _closed(line)}"
    for uplink in status["uplinks"]:
        state = "up" if uplink["is_up"] else "down"
        since = f" since {uplink['since']}" if uplink["since"] else ""
        waiting = "" if uplink["waiting"] is None else f", {uplink['waiting']} waiting"
        trouble = f": {uplink['trouble']}" if uplink["trouble"] else ""
        counts = f"{uplink['delivered']} delivered{waiting}"
        yield f"  uplink   {uplink['name']} ({uplink['address']}): {state}{since}, {counts}{trouble}"


def device_lines(devices: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What `/api/devices` says, as a table."""
    rows = [("DEVICE", "ALIAS", "SERIAL", "MODEL", "PROTOCOL", "LINE", "ID", "HEALTH", "LAST SEEN", "TROUBLE")]
    for each in devices:
        keys = ("uid", "alias", "serial", "model", "protocol", "line", "address", "health", "last_seen", "trouble")
        rows.append(tuple("" if each[key] is None else str(each[key]) for key in keys))  # type: ignore[arg-type]
    yield from table(rows)


def device_report(device: Mapping[str, Any]) -> Iterator[str]:
    """What `device.get` says: who it is and how it answers, then every value."""
    name = f' "{device["alias"]}"' if device["alias"] else ""
    who = ", ".join(filter(None, (device["model"], device["serial"], device["firmware"], device["protocol"])))
    trouble = f": {device['trouble']}" if device["trouble"] else ""
    yield f"{device['uid']}{name}: {who}, ID {device['address']} on {device['line']}"
    yield f"  {device['health']}{trouble}, last seen {device['last_seen'] or 'never'}"
    rows = [[each["name"], each["label"], *_value(each), each["at"] or ""] for each in device["values"]]
    yield from (f"  {row}" for row in table(rows))


def value_text(found: Mapping[str, Any]) -> str:
    """One value with its unit, as `device.read` and `device.write` give it."""
    return " ".join(_value(found)).rstrip()


def _value(found: Mapping[str, Any]) -> tuple[str, str]:
    value = found["value"]
    return "-" if value is None else str(value), found.get("unit", "")


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines, their columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _closed(line: Mapping[str, Any]) -> str:
    return f"not open: {line['trouble']}" if line["trouble"] else "not open"


def _span(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
