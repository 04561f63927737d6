"""The MQTT uplink and mosquitto."""

import json
import subprocess

import pytest
import pytest_twisted
from twisted.internet.defer import fail
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IStreamClientEndpoint
from zope.interface import implementer

from concentrator.model.errors import TryLater
from concentrator.model.record import Receipt
from concentrator.uplink.broker_endpoint import Trust, broker_endpoint
from concentrator.uplink.payload import Voice
from concentrator.uplink.uploader import Limits, Uploader
from tests.support.certificates import identity
from tests.support.records import NOW, FixedWall, MemoryFeed, batch, event, interval
from tests.support.uplinks import BOX, Heartbeat, mqtt_uplink, wait_for

VOICE = Voice("/ccm/srv", BOX)


async def given_up(uplink):
    """What an uplink says when its first attempt has failed."""
    uplink.start()
    await wait_for(lambda: uplink.standing().trouble)
    return uplink.standing().trouble


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest_twisted.ensureDeferred
async def test_every_record_arrives_once_and_as_said_and_is_receipted(broker, version, qos):
    mosquitto, recorder = broker
    uplink = mqtt_uplink(mosquitto.port, version=version, qos=qos)
    uplink.start()
    await uplink.when_ready()
    records = [interval(n) for n in range(1, 201)] + [event(201, device="main")]
    receipt = await uplink.send(batch(*records))
    assert receipt == Receipt(frozenset(range(1, 202)))
    await recorder.until(lambda: len(recorder.messages) >= 202)
    await uplink.stop()
    expected = [VOICE.record(record, "alias of main", NOW) for record in records]
    arrived = [(topic, payload) for topic, payload, _ in recorder.messages if not topic.endswith("/status")]
    assert arrived == [(message.topic, message.payload) for message in expected]


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest_twisted.ensureDeferred
async def test_the_status_is_online_after_birth_offline_after_goodbye_and_offline_after_death(broker, version):
    mosquitto, recorder = broker

    def states():
        return [json.loads(payload)["state"] for topic, payload, _ in recorder.messages if topic.endswith("/status")]

    for end in ("goodbye", "death"):
        recorder.messages.clear()
        uplink = mqtt_uplink(mosquitto.port, version=version)
        uplink.start()
        await uplink.when_ready()
        await recorder.until(lambda: states() == ["online"])
        if end == "death":
            uplink._session._link.abort("killed by the test")
            await recorder.until(lambda: states()[:2] == ["online", "offline"])
        await uplink.stop()
        await recorder.until(lambda: states()[-1] == "offline")
    recorder.messages.clear()
    recorder.subscribe()
    await recorder.until(lambda: len(recorder.messages) == 1)
    assert recorder.messages == [(f"/ccm/srv/{BOX}/status", b'{"state":"offline"}', True)]


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize(("password", "welcome"), [("right", True), ("wrong", False)])
@pytest_twisted.ensureDeferred
async def test_user_and_password_open_the_door_and_are_told_to_nobody(
    make_broker, tmp_path, version, password, welcome
):
    users = tmp_path / "users"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(users), "meter", "right"], check=True, capture_output=True)
    mosquitto, _ = make_broker(front=["allow_anonymous false", f"password_file {users}"])
    uplink = mqtt_uplink(mosquitto.port, version=version, user="meter", password=password)
    if welcome:
        uplink.start()
        await uplink.when_ready()
        assert uplink.standing().is_up
    else:
        trouble = await given_up(uplink)
        assert trouble == "the broker refused the session: Not authorized"
        assert "wrong" not in trouble + repr(vars(uplink))
    await uplink.stop()


@pytest.mark.parametrize("qos", [1, 2])
@pytest_twisted.ensureDeferred
async def test_what_a_version_5_broker_refuses_is_rejected_with_its_reason(make_broker, tmp_path, qos):
    rules = tmp_path / "rules"
    rules.write_text("topic readwrite /ccm/srv/4220080001/status\ntopic readwrite /ccm/srv/4220080001/allowed/#\n")
    rules.chmod(0o600)
    mosquitto, recorder = make_broker(front=["allow_anonymous true", f"acl_file {rules}"])
    uplink = mqtt_uplink(mosquitto.port, version="5", qos=qos)
    uplink.start()
    await uplink.when_ready()
    receipt = await uplink.send(batch(interval(1, serial="allowed"), interval(2, serial="denied")))
    assert receipt == Receipt(frozenset({1}), {2: "the broker refused it: Not authorized"})
    await recorder.until(lambda: recorder.numbers() == {1})
    await uplink.stop()


@pytest_twisted.ensureDeferred
async def test_a_version_5_brokers_limits_are_kept(make_broker):
    mosquitto, _ = make_broker(settings=["max_packet_size 400"])
    uplink = mqtt_uplink(mosquitto.port, version="5")
    uplink.start()
    await uplink.when_ready()
    receipt = await uplink.send(batch(interval(1), event(2, story="x" * 400), interval(3)))
    assert receipt.accepted == {1, 3}
    assert "the broker takes 400" in receipt.rejected[2]
    await uplink.stop()


def tls_front(who):
    return ["allow_anonymous true", f"certfile {who.cert_file}", f"keyfile {who.key_file}"]


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("how", ["authority", "pinned"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest_twisted.ensureDeferred
async def test_a_broker_vouched_for_or_pinned_is_trusted(make_broker, tmp_path, authority, version, how, host):
    served = identity(tmp_path, "broker", authority if how == "authority" else None)
    trust = Trust(ca_file=authority.cert_file) if how == "authority" else Trust(pinned_file=served.cert_file)
    mosquitto, recorder = make_broker(front=tls_front(served))
    uplink = mqtt_uplink(mosquitto.port, trust, host=host, version=version, qos=2)
    uplink.start()
    await uplink.when_ready()
    assert (await uplink.send(batch(*map(interval, range(1, 101))))).accepted == set(range(1, 101))
    await recorder.until(lambda: recorder.numbers() == set(range(1, 101)))
    await uplink.stop()


@pytest_twisted.ensureDeferred
async def test_a_pinned_certificate_need_not_bear_the_brokers_name(make_broker, tmp_path):
    served = identity(tmp_path, "broker", address="192.0.2.1")
    mosquitto, _ = make_broker(front=tls_front(served))
    uplink = mqtt_uplink(mosquitto.port, Trust(pinned_file=served.cert_file))
    uplink.start()
    await uplink.when_ready()
    await uplink.stop()


@pytest.mark.parametrize(
    ("served", "trusted", "words"),
    [
        ("stranger", "authority", "certificate verify failed"),
        ("stranger", "system", "certificate verify failed"),
        ("stranger", "pinned", "certificate verify failed"),
        ("signed", "pinned", "certificate verify failed"),
        ("elsewhere", "authority", "the certificate is not for this host"),
        ("nothing", "authority", "the connection broke"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_broker_that_is_not_the_one_we_trust_is_told_nothing(
    make_broker, tmp_path, authority, served, trusted, words
):
    who = {
        "stranger": lambda: identity(tmp_path, "stranger"),
        "signed": lambda: identity(tmp_path, "signed", authority),
        "elsewhere": lambda: identity(tmp_path, "elsewhere", authority, address="192.0.2.1"),
        "nothing": lambda: None,
    }[served]()
    trust = {
        "authority": Trust(ca_file=authority.cert_file),
        "pinned": Trust(pinned_file=identity(tmp_path, "pinned").cert_file),
        "system": Trust(),
    }[trusted]
    mosquitto, recorder = make_broker(front=tls_front(who) if who else ())
    uplink = mqtt_uplink(mosquitto.port, trust)
    assert words in await given_up(uplink)
    assert not uplink.standing().is_up
    assert recorder.messages == []
    await uplink.stop()


def uploading(uplink, records):
    """A feed of these records, its uploader, and what that reports."""
    from twisted.internet import reactor

    feed, reports = MemoryFeed(list(records), limit=200), []
    limits = Limits(first_pause_s=0.05, longest_pause_s=0.2)
    uploader = Uploader(feed, uplink, reactor, FixedWall(), lambda *told: reports.append(told), lambda: 0.5, limits)
    return feed, uploader, reports


@implementer(IStreamClientEndpoint)
class Gate:
    """The way to a broker, open only when the test says so: its recorder has to be there first."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.is_open = True

    def connect(self, factory):
        return self.endpoint.connect(factory) if self.is_open else fail(ConnectionRefusedError())


@pytest.mark.parametrize(("version", "qos"), [("3.1.1", 1), ("3.1.1", 2), ("5", 1), ("5", 2)])
@pytest_twisted.ensureDeferred
async def test_a_broker_killed_in_the_middle_costs_no_record(broker, version, qos):
    from twisted.internet import reactor

    mosquitto, recorder = broker
    gate = Gate(broker_endpoint(reactor, "127.0.0.1", mosquitto.port))
    uplink = mqtt_uplink(mosquitto.port, endpoint=gate, version=version, qos=qos)
    records = [interval(n) for n in range(1, 501)]
    feed, uploader, reports = uploading(uplink, records)
    killed_at = []

    def kill_and_restart():
        gate.is_open = False
        killed_at.append(len(recorder.numbers()))
        mosquitto.kill()
        recorder.drain()
        mosquitto.start()
        recorder.subscribe()
        gate.is_open = True

    uploader.start()
    for threshold in (120, 330):
        await recorder.until(lambda threshold=threshold: len(recorder.numbers()) >= threshold)
        kill_and_restart()
    await recorder.until(lambda: len(recorder.numbers()) == 500)
    await wait_for(lambda: not feed.records)
    await uploader.stop()
    expected = {record.n: VOICE.record(record, "alias of main", NOW).payload for record in records}
    payloads = [payload for topic, payload, _ in recorder.messages if topic.endswith("/data")]
    assert {json.loads(payload)["n"]: payload for payload in payloads} == expected
    assert set(payloads) == set(expected.values())
    assert reports == []
    assert killed_at[0] < 500
    print(f"\nQoS {qos}, {version}: killed after {killed_at} of 500, {len(payloads) - 500} repeats, none missing")


@implementer(IStreamClientEndpoint)
class Deaf:
    """The way to a broker whose first connections hear no more than some bytes, and then fall."""

    def __init__(self, endpoint, deaf_connections, hears):
        self.endpoint = endpoint
        self.left = deaf_connections
        self.hears = hears

    def connect(self, factory):
        return self.endpoint.connect(factory).addCallback(self._deafen)

    def _deafen(self, link):
        if self.left:
            self.left -= 1
            receive, left = link.dataReceived, [self.hears]

            def hear(data):
                receive(data[: left[0]])
                left[0] -= len(data)
                if left[0] < 0:
                    link.transport.abortConnection()

            link.dataReceived = hear
        return link


@pytest.mark.parametrize(("version", "qos", "hears"), [("3.1.1", 1, 40), ("5", 2, 300)])
@pytest_twisted.ensureDeferred
async def test_confirmations_that_get_lost_make_repeats_that_are_the_same_byte_for_byte(broker, version, qos, hears):
    from twisted.internet import reactor

    mosquitto, recorder = broker
    endpoint = Deaf(broker_endpoint(reactor, "127.0.0.1", mosquitto.port), 3, hears)
    uplink = mqtt_uplink(mosquitto.port, endpoint=endpoint, version=version, qos=qos)
    records = [interval(n) for n in range(1, 101)]
    feed, uploader, reports = uploading(uplink, records)
    uploader.start()
    await wait_for(lambda: not feed.records)
    await recorder.until(lambda: len(recorder.numbers()) == 100)
    await uploader.stop()
    payloads = [payload for topic, payload, _ in recorder.messages if topic.endswith("/data")]
    assert set(payloads) == {VOICE.record(record, "alias of main", NOW).payload for record in records}
    assert (uploader.state().delivered, reports) == (100, [])
    assert len(payloads) > 100
    print(f"\nQoS {qos}, {version}: {len(payloads) - 100} repeats")


@pytest_twisted.ensureDeferred
async def test_a_record_that_makes_the_broker_hang_up_is_given_up_and_the_others_arrive(make_broker):
    mosquitto, recorder = make_broker(settings=["max_packet_size 400"])
    uplink = mqtt_uplink(mosquitto.port)
    records = [interval(n, serial="x" * 300 if n == 30 else "0420020081") for n in range(1, 61)]
    feed, uploader, reports = uploading(uplink, records)
    uploader.start()
    await wait_for(lambda: not feed.records)
    await uploader.stop()
    assert recorder.numbers() == set(range(1, 61)) - {30}
    assert [(name, facts["records"]) for name, facts in reports] == [("uplink.records_rejected", [30])]


@pytest.mark.parametrize("trust", [None, Trust()])
@pytest_twisted.ensureDeferred
async def test_a_silent_server_is_given_up_and_stalls_nothing(silent_server, trust):
    uplink = mqtt_uplink(silent_server.port, trust)
    with Heartbeat() as heartbeat:
        assert await given_up(uplink) == "no welcome within 2 s"
        await uplink.stop()
    print(f"\nsilent server, {trust}: the reactor was late by {heartbeat.worst_ms:.1f} ms at most")


@pytest_twisted.ensureDeferred
async def test_a_broker_that_falls_silent_is_left_and_its_batch_kept(broker):
    mosquitto, _ = broker
    uplink = mqtt_uplink(mosquitto.port, keepalive_s=1)
    uplink.start()
    await uplink.when_ready()
    mosquitto.freeze()
    with pytest.raises(TryLater, match="Keep alive timeout") as caught:
        await uplink.send(batch(interval(1)))
    assert caught.value.in_flight == {1}
    await uplink.stop()


@pytest_twisted.ensureDeferred
async def test_leaving_a_broker_that_has_fallen_silent_takes_two_seconds(broker):
    from twisted.internet import reactor

    mosquitto, _ = broker
    uplink = mqtt_uplink(mosquitto.port)
    uplink.start()
    await uplink.when_ready()
    mosquitto.freeze()
    unsent = uplink.send(batch(*map(interval, range(1, 2000))))
    unsent.addErrback(lambda _: None)
    begun = reactor.seconds()
    await uplink.stop()
    assert reactor.seconds() - begun < 4


@pytest_twisted.ensureDeferred
async def test_a_thousand_records_in_flight_leave_the_reactor_free(broker):
    mosquitto, _ = broker
    uplink = mqtt_uplink(mosquitto.port)
    uplink.start()
    await uplink.when_ready()
    from twisted.internet import reactor

    with Heartbeat() as heartbeat:
        begun = reactor.seconds()
        for first in range(0, 2000, 50):
            await uplink.send(batch(*map(interval, range(first, first + 50))))
        took = reactor.seconds() - begun
    await uplink.stop()
    print(f"\n2000 records, QoS 1: {2000 / took:.0f}/s, the reactor was late by {heartbeat.worst_ms:.1f} ms at most")
