"""A real MQTT broker on a free port of the loopback interface, and somebody who writes down what it sends out."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from twisted.internet.defer import Deferred

PATIENCE_S = 20.0
_NOT_EPHEMERAL = 10_000, 32_000  # ip(7), ip_local_port_range begins above


def free_port() -> int:
    """A port of the loopback interface that nobody listened on a moment ago, and that the kernel gives to nobody who
    connects somewhere while whoever listens on it is away."""
    while True:
        port = random.randrange(*_NOT_EPHEMERAL)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


class Mosquitto:
    """mosquitto: started, stopped, killed and frozen by its pid, always on the same port. The recorder has a door of
    its own (`back_port`), in clear whatever the front one wants."""

    def __init__(self, folder: Path, settings: Sequence[str] = (), front: Sequence[str] = ()) -> None:
        self._binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if self._binary is None:
            pytest.fail("this test needs mosquitto: apt-get install mosquitto")
        self.port, self.back_port = free_port(), free_port()
        self._settings = folder / "mosquitto.conf"
        (folder / "kept").mkdir()
        lines = [
            "user root",  # else mosquitto drops to a user who may not write here
            "per_listener_settings true",
            f"persistence_location {folder}/kept/",
            "log_dest stderr",
            "log_type error",
            "log_type information",
            "connection_messages false",
            "max_inflight_messages 0",
            *settings,
            f"listener {self.back_port} 127.0.0.1",
            "allow_anonymous true",
            f"listener {self.port} 127.0.0.1",
            *(front or ["allow_anonymous true"]),
            "persistence true",
        ]
        self._settings.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts it; back when it listens."""
        assert self._process is None and self._binary is not None
        self._process = subprocess.Popen(
            [self._binary, "-c", str(self._settings)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        said = []
        for line in self._process.stderr:
            said.append(line)
            if "running" in line:
                return
        pytest.fail("mosquitto did not start: " + "".join(said))

    def stop(self) -> None:
        """Ends it as a system would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Makes it silent, its connections open."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            if how is not signal.SIGKILL:
                process.send_signal(signal.SIGCONT)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:  # told to end while it was still beginning, it may not hear it
                process.kill()
                process.wait(PATIENCE_S)
            process.stderr.close()


class Recorder:
    """Subscribes to everything, in a thread, and keeps what comes: `messages` are (topic, payload, retained).

    Its own quality of service is 0, so that it never writes: a client that confirms to a dead broker is told so, and
    drops what it had not read yet.
    """

    def __init__(self, port: int) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self._port = port
        self._client: paho.Client | None = None
        self._fallen = threading.Event()
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def subscribe(self) -> None:
        """Begins, or begins again; back when the broker knows."""
        self.leave()
        subscribed = threading.Event()
        client = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        client.on_connect = lambda *_: client.subscribe("#", qos=0)
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_message = self._received
        self._fallen.clear()
        client.on_disconnect = lambda *_: self._fallen.set()
        client.connect("127.0.0.1", self._port)
        client.loop_start()
        self._client = client
        assert subscribed.wait(PATIENCE_S), "the broker did not take the recorder's subscription"

    def leave(self) -> None:
        """Ends; back when the thread has ended."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def drain(self) -> None:
        """Back when all that a dead broker had sent out is read."""
        assert self._fallen.wait(PATIENCE_S), "the recorder's broker still lives"

    def until(self, met: Callable[[], bool]) -> Deferred[None]:
        """Fires when what was received meets a condition."""
        from twisted.internet import reactor

        waiter: Deferred[None] = Deferred()
        self._waiting.append((met, waiter))
        waiter.addTimeout(PATIENCE_S, reactor)
        self._look()
        return waiter

    def data(self) -> list[dict]:
        """The payloads of the intervals, parsed."""
        return [json.loads(payload) for topic, payload, _ in list(self.messages) if topic.endswith("/data")]

    def numbers(self) -> set[int]:
        """The numbers of the intervals that came."""
        return {message["n"] for message in self.data()}

    def _received(self, client: paho.Client, user: object, message: paho.MQTTMessage) -> None:
        from twisted.internet import reactor

        self.messages.append((message.topic, message.payload, message.retain))
        reactor.callFromThread(self._look)

    def _look(self) -> None:
        for entry in list(self._waiting):
            if entry[0]():
                self._waiting.remove(entry)
                if not entry[1].called:
                    entry[1].callback(None)


class SilentServer:
    """Takes connections and says nothing."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def close(self) -> None:
        """Is there no more."""
        self._socket.close()
