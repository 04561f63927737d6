"""paho alone, with its own loop: PORT MESSAGES BYTES WINDOW, QoS 1. It says "ready", begins when a line comes, says
"done" when everything is confirmed, and waits for its end."""

from __future__ import annotations

import json
import sys
import threading
import time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


def main() -> None:
    """Publishes so many messages of so many bytes, at most a window of them unconfirmed."""
    port, messages, size, window = map(int, sys.argv[1:])
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(window)
    client.max_queued_messages_set(0)
    room, welcomed, confirmed = threading.Semaphore(window), threading.Event(), threading.Event()
    left = messages

    def published(*_: object) -> None:
        nonlocal left
        left -= 1
        room.release()
        if not left:
            confirmed.set()

    client.on_publish = published
    client.on_connect = lambda *_: welcomed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    welcomed.wait()
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    payload, began = b"x" * size, time.perf_counter()
    for _ in range(messages):
        room.acquire()
        client.publish("/ccm/srv/4220080001/0420020001/data", payload, 1)
    confirmed.wait()
    print(json.dumps({"delivered": messages, "seconds": time.perf_counter() - began}), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
