"""What the demo shows: where to look, the first message and the first file as they arrive, then one quiet line. Hides
how the far sides are watched, and whether people or programs are told."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import define, field
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from concentrator.app.children import Children
from concentrator.app.demo_config import EXTERNAL, FACTORY_SECRET, USER, Stage
from concentrator.app.demo_peers import HOST

_TOPIC = "/ccm/srv/#"
_TICK_S = 0.2


@define
class Teller:
    """Tells people, or with `is_json` programs, what goes on; on a terminal it keeps one line up to date."""

    is_json: bool
    _is_on_line: bool = False

    def where_to_look(self, stage: Stage, children: Children) -> None:
        """Everything is up: where to look at it."""
        page, log = f"http://{HOST}:{stage.http_port}/", children.log_of("ccmaster")
        subscribe = f"mosquitto_sub -h {HOST} -p {stage.mqtt_port} -t '{_TOPIC}' -v"
        cloud = f"A simulated genset is in a simulated SmartGen cloud at {HOST}:{stage.cloud_port}.\n"
        genset = "" if stage.cloud_port is None else cloud
        if self.is_json:
            self._fact(
                "ready",
                page=page,
                sign_in={"user": USER, "password": FACTORY_SECRET},
                mqtt={"host": HOST, "port": stage.mqtt_port, "topic": _TOPIC},
                ftp={"host": HOST, "port": stage.ftp_port, "folder": str(stage.received)},
                folder=str(stage.folder),
                config=str(stage.config),
                log=str(log),
                meters=stage.meters,
                external=[uid for uid, *_ in EXTERNAL],
                cloud={"host": HOST, "port": stage.cloud_port} if stage.cloud_port else None,
                pids=children.pids(),
            )
            return
        self._say(
            f"CcMaster reads {stage.meters} simulated meters on a bus of 9600 bit/s,\n"
            "and an inverter and an analyser of other makers on a line of their own.\n"
            f"{genset}\n"
            f"  portal         {page}\n"
            f"  sign in        as {USER} with the password {FACTORY_SECRET}; another one is asked for then\n"
            f"  MQTT           {subscribe}\n"
            f"  files by FTP   {stage.received}\n"
            f"  configuration  {stage.config}\n"
            f"  log            {log}\n\n"
            "The first message comes after some 10 s, the first file after some 30 s. Ctrl-C ends everything.\n"
        )

    def first_message(self, topic: str, payload: str) -> None:
        """The first data message."""
        if self.is_json:
            self._fact("message", topic=topic, payload=json.loads(payload))
        else:
            self._say(f"The first MQTT message:\n  {topic}\n  {_shortened(payload, 400)}\n")

    def first_file(self, path: Path) -> None:
        """The first complete file."""
        lines = path.read_text().splitlines()
        if self.is_json:
            self._fact("file", path=str(path), lines=len(lines))
        else:
            shown = "\n".join(f"  {_shortened(line, 110)}" for line in lines[:4])
            self._say(f"The first file, {path.name}:\n{shown}\n")

    def progress(self, seconds: float, audience: Audience) -> None:
        """How far it is, on a terminal."""
        if not self.is_json and sys.stdout.isatty():
            minutes, rest = divmod(int(seconds), 60)
            heard = f"{len(audience.serials)} devices, {audience.messages} messages, {audience.files} files"
            print(f"\r{minutes}:{rest:02}  {heard}\x1b[K", end="", flush=True)
            self._is_on_line = True

    def end(self) -> None:
        """All is over: leaves the line it was on."""
        if self._is_on_line:
            with suppress(OSError):
                print(flush=True)

    def _say(self, text: str) -> None:
        print(("\r\x1b[K" if self._is_on_line else "") + text, flush=True)
        self._is_on_line = False

    def _fact(self, event: str, **facts: Any) -> None:
        print(json.dumps({"event": event, **facts}, ensure_ascii=False), flush=True)


@define(eq=False)
class Audience:
    """Somebody on the far side: subscribed to the broker, looking into the FTP folder."""

    stage: Stage
    tell: Teller
    messages: int = 0
    files: int = 0
    serials: set[str] = field(factory=set)
    _client: Client = field(init=False)
    _earlier: set[Path] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._earlier = self._complete_files()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="ccmaster-demo-audience")
        self._client.on_connect = lambda client, *_: client.subscribe(_TOPIC, qos=1)
        self._client.on_message = self._message_received

    def look(self) -> None:
        """Takes what has come in the last moment; where the broker is not there, tries again the next time."""
        if self._client.loop(_TICK_S) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            try:
                self._client.connect(HOST, self.stage.mqtt_port)
            except OSError:
                time.sleep(_TICK_S)
        files = sorted(self._complete_files() - self._earlier)
        if files and not self.files:
            self.tell.first_file(files[0])
        self.files = len(files)

    def stop(self) -> None:
        """Leaves."""
        self._client.disconnect()

    def _complete_files(self) -> set[Path]:
        """A file has its final name only when it is complete."""
        return set(self.stage.received.glob("*.csv"))

    def _message_received(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        if not message.topic.endswith("/data"):
            return
        self.messages += 1
        self.serials.add(message.topic.split("/")[-2])
        if self.messages == 1:
            self.tell.first_message(message.topic, message.payload.decode())


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
