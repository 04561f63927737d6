"""MQTT uplinks on the real reactor, made for a broker of the tests, and how long the reactor stood still meanwhile."""

from __future__ import annotations

from twisted.internet.task import LoopingCall, deferLater

from concentrator.uplink.broker_endpoint import Trust, broker_endpoint
from concentrator.uplink.mqtt import MqttLimits, MqttUplink
from concentrator.uplink.payload import Voice
from tests.support.brokers import PATIENCE_S
from tests.support.records import FixedWall

BOX = "4220080001"
SOON = MqttLimits(welcome_s=2.0, first_pause_s=0.05, longest_pause_s=0.2)


def mqtt_uplink(port: int, trust: Trust | None = None, *, host: str = "127.0.0.1", endpoint=None, **settings):
    """An uplink to a broker on this machine, which connects again soon."""
    from twisted.internet import reactor

    return MqttUplink(
        endpoint=endpoint or broker_endpoint(reactor, host, port, trust),
        address=f"mqtt://{host}:{port}",
        voice=Voice("/ccm/srv", BOX),
        alias=lambda uid: f"alias of {uid}",
        clock=reactor,
        wall=FixedWall(),
        jitter=lambda: 0.5,
        software="1.0",
        **{"limits": SOON, **settings},
    )


async def wait_for(met) -> None:
    """Back when a condition is met; fails after some seconds."""
    from twisted.internet import reactor

    begun = reactor.seconds()
    while not met():
        assert reactor.seconds() - begun < PATIENCE_S, "it never came true"
        await deferLater(reactor, 0.002)


class Heartbeat:
    """Beats every 5 ms; `worst_ms` is the longest the reactor was late for it."""

    def __init__(self) -> None:
        from twisted.internet import reactor

        self._clock = reactor
        self._call = LoopingCall(self._beat)
        self._last: float | None = None
        self.worst_ms = 0.0

    def __enter__(self) -> Heartbeat:
        self._call.start(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._call.stop()

    def _beat(self) -> None:
        now = self._clock.seconds()
        if self._last is not None:
            self.worst_ms = max(self.worst_ms, 1000 * (now - self._last) - 5)
        self._last = now
