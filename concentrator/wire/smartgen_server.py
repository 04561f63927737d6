"""What a SmartGen cloud server says to a modem: its messages as values, read as tolerantly as the servers in the field
need it, and written as a proper server would. It hides which of the many ways to say a thing was used.

Source: SmartGen CMM365-4G communication protocol V1.0 (2022-01-14), 4.1 to 4.9, and what servers are seen to do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from concentrator.model.errors import Garbled, Unexpected
from concentrator.wire.smartgen import DEFLATE
from concentrator.wire.smartgen_fields import (
    Frame,
    Wiring,
    commands,
    folded,
    frame,
    inner,
    instant_s,
    place,
    rate_s,
    text,
    whole,
    wiring,
    wiring_if_sound,
    written_place,
)
from concentrator.wire.smartgen_json import written

SUCCESS = "000000"
"""The only return code whose meaning is known; every other is a failure."""
LONGEST_UID = 64
_LONGEST_COMMAND = 512
_LONGEST_MESSAGE = 200


@frozen
class LoginAnswer:
    """What follows from a login (table 4): whether the modem is registered, where live data and history go (None: not
    said), the server's time in seconds since 1970, what to read always and what once, how often to upload while
    somebody watches and while nobody does (in seconds), the controller's model, whether everything is to be uploaded
    each time (`is_full`) or what changed, where the controller is, and whether what the modem says is to be compressed
    (`is_deflated`, servers of one's own only). None: the modem's own setting holds."""

    is_registered: bool = True
    live: tuple[str, int] | None = None
    history: tuple[str, int] | None = None
    time_s: float | None = None
    always: tuple[Frame, ...] = ()
    once: tuple[Frame, ...] = ()
    online_s: float | None = None
    offline_s: float | None = None
    module_type: str = ""
    is_full: bool = False
    wiring: Wiring | None = None
    code: str = SUCCESS
    message: str = ""
    is_deflated: bool = False

    def written(self) -> bytes:
        """The segment."""
        result = {
            "register": int(self.is_registered),
            "historic": written_place(self.history),
            "liveData": written_place(self.live),
            "realTime": "" if self.time_s is None else str(int(self.time_s)),
            "para_command": _joined(self.always),
            "con_command": _joined(self.once),
            "data_mode": int(self.is_full),
            "moduletype": self.module_type,
        }
        rates = {"online_rate": self.online_s, "offline_rate": self.offline_s}
        result |= {name: round(1000 * rate) for name, rate in rates.items() if rate is not None}
        result |= self.wiring.fields() if self.wiring else {}
        result |= {"compress": DEFLATE} if self.is_deflated else {}
        return written({"method": "login", "result": result, "message": self.message, "retcode": self.code})


def _joined(requests: tuple[Frame, ...]) -> str:
    return ";".join(bytes(each).hex().upper() for each in requests)


@frozen
class Acknowledged:
    """Answers LongCon, HB, reqdata or reqdatachange: `method` is which of them, in lower case, with the return code and
    the message that came with it."""

    method: str
    code: str = SUCCESS
    message: str = "OK"

    @property
    def is_success(self) -> bool:
        """Whether the server has taken it."""
        return self.code == SUCCESS

    def answers(self, method: str) -> bool:
        """Whether it is the answer to that method; changes are answered under the name of the full set."""
        return _kin(self.method) == _kin(method.lower())

    def written(self) -> bytes:
        """The segment."""
        named = _NAMES.get(self.method, self.method)
        return written({"method": named, "message": self.message, "retcode": self.code})


def _kin(method: str) -> str:
    return "reqdata" if method == "reqdatachange" else method


@frozen
class TimeTold:
    """Answers timing: seconds since 1970, None where what was said is no time or the server refused."""

    time_s: float | None

    def written(self) -> bytes:
        """The segment."""
        told = "" if self.time_s is None else str(round(1000 * self.time_s))
        return written({"message": "ok", "retcode": SUCCESS, "method": "timing", "result": told})


@frozen
class WriteConfig:
    """Wants a Modbus command sent to the controller (`command`, hex as it came; None: none), or another port and baud
    rate; `uid` says who wants it, and is given back as it came."""

    command: str | None = None
    wiring: Wiring | None = None
    uid: Any = None
    is_modbus: bool = True

    def frame(self) -> Frame:
        """The request for the controller. Raises Garbled where the command is none that is ever passed on."""
        if self.command is None or not self.is_modbus:
            raise Garbled("no Modbus command")
        return frame(self.command)

    def written(self) -> bytes:
        """The segment."""
        command = {} if self.command is None else {"result": self.command}
        pair = self.wiring.fields() if self.wiring else {}
        whose = {} if self.uid is None else {"uid": self.uid}
        return written({**command, **pair, "datatype": 1 if self.is_modbus else 0, **whose, "method": "writeConfig"})


@frozen
class Reset:
    """The modem is to log in again."""

    def written(self) -> bytes:
        """The segment."""
        return written({"message": "ok", "retcode": SUCCESS, "method": "reset"})


Order = LoginAnswer | Acknowledged | TimeTold | WriteConfig | Reset


def from_server(message: Mapping[str, Any], awaited: str = "") -> Order:
    """What a server says in a message. One without a method, but with a return code, answers what is `awaited` (the
    method of the modem's request). Raises Unexpected for anything else that means nothing to a modem, Garbled where
    what it says cannot be."""
    fields = folded(message)
    method = text(fields.get("method")).lower() or (awaited.lower() if "retcode" in fields else "")
    if method == "login":
        return _login_answer(fields)
    if method == "timing":
        is_success = text(fields.get("retcode")) in ("", SUCCESS)
        return TimeTold(instant_s(fields.get("result")) if is_success else None)
    if method == "writeconfig":
        return _write_config(fields)
    if method == "reset":
        return Reset()
    if method in _NAMES:
        return Acknowledged(method, text(fields.get("retcode"))[:32], text(fields.get("message"))[:_LONGEST_MESSAGE])
    raise Unexpected(f"method {method[:32]!r}")


_NAMES = {"longcon": "LongCon", "hb": "HB", "reqdata": "reqdata", "reqdatachange": "reqdatachange"}


def _login_answer(fields: Mapping[str, Any]) -> LoginAnswer:
    result = inner(fields.get("result"))
    code = text(fields.get("retcode"))[:32]
    return LoginAnswer(
        is_registered=whole(result.get("register")) == 1 and code == SUCCESS,
        live=place(result.get("livedata")),
        history=place(result.get("historic")),
        time_s=instant_s(result.get("realtime")),
        always=commands(result.get("para_command")),
        once=commands(result.get("con_command")),
        online_s=rate_s(result.get("online_rate")),
        offline_s=rate_s(result.get("offline_rate")),
        module_type=text(result.get("moduletype"))[:32],
        is_full=whole(result.get("data_mode")) == 1,
        wiring=wiring_if_sound(result),
        code=code,
        message=text(fields.get("message"))[:_LONGEST_MESSAGE],
        is_deflated=text(result.get("compress")) == DEFLATE,
    )


def _write_config(fields: Mapping[str, Any]) -> WriteConfig:
    uid = fields.get("uid")
    if len(uid if isinstance(uid, str) else json.dumps(uid)) > LONGEST_UID:
        raise Garbled(f"a uid of more than {LONGEST_UID} characters")
    command = text(fields.get("result"))[:_LONGEST_COMMAND] or None
    pair = wiring(fields)
    if command is None and pair is None:
        raise Garbled("writeConfig without a command and without a port")
    return WriteConfig(command, pair, uid, whole(fields.get("datatype")) in (None, 1))
