"""The MQTT uplink and mosquitto."""

import json
import subprocess
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_twisted
from twisted.internet.defer import fail
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer

from concentrator.model.errors import TryLater
from concentrator.model.record import Receipt
from concentrator.uplink.broker_endpoint import Trust, broker_endpoint
from concentrator.uplink.lane import Course
from concentrator.uplink.meter import Meter
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


class Relay(Factory):
    """Carries bytes to a broker and back, and counts them."""

    def __init__(self, broker):
        self.broker = broker
        self.up = self.down = 0

    def buildProtocol(self, address):  # noqa: N802
        from twisted.internet import reactor

        near, far, early = Protocol(), Protocol(), []

        def upward(data):
            self.up += len(data)
            far.transport.write(data) if far.transport else early.append(data)

        def downward(data):
            self.down += len(data)
            near.transport.write(data)

        near.dataReceived, far.dataReceived = upward, downward
        far.connectionMade = lambda: far.transport.writeSequence(early)
        far.connectionLost = lambda reason: near.transport.loseConnection()
        near.connectionLost = lambda reason: far.transport and far.transport.loseConnection()
        connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", self.broker), far)
        return near


class Ear:
    """An inbox that keeps what it hears, and says something back."""

    topic = f"/ccm/dev/{BOX}/cmd"

    def __init__(self):
        self.heard = []

    def received(self, payload, is_retained, answer):
        self.heard.append((payload, is_retained))
        answer(b"heard " + payload[:20])


def publish(port, topic, payload, **how):
    """Publishes one message as an outsider does; back when the broker has it."""
    import paho.mqtt.publish

    paho.mqtt.publish.single(topic, payload, qos=1, hostname="127.0.0.1", port=port, **how)


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest_twisted.ensureDeferred
async def test_what_is_published_to_the_inbox_reaches_it_after_each_welcome_and_is_answered(broker, version):
    from twisted.internet.threads import deferToThread

    mosquitto, recorder = broker
    ear = Ear()

    def has_come(wanted):
        return any(payload.startswith(wanted) for _, payload, _ in recorder.messages)

    uplink = mqtt_uplink(mosquitto.port, version=version, inbox=ear)
    uplink.start()
    for word in (b"one", b"two"):
        recorder.messages.clear()
        await recorder.until(lambda: has_come(b'{"state":"online"'))  # it is said when the inbox can be reached
        await deferToThread(publish, mosquitto.back_port, ear.topic, word)
        await recorder.until(lambda word=word: has_come(b"heard " + word))
        uplink._session._link.abort("cut by the test")
    await deferToThread(publish, mosquitto.back_port, ear.topic, "kept", retain=True)
    await wait_for(lambda: (b"kept", True) in ear.heard)
    await recorder.until(lambda: has_come(b"heard kept"))
    await uplink.stop()
    assert ear.heard == [(b"one", False), (b"two", False), (b"kept", True)]
    assert {topic for topic, payload, _ in recorder.messages if payload == b"heard kept"} == {f"/ccm/srv/{BOX}/rsp"}


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest_twisted.ensureDeferred
async def test_a_huge_message_to_the_inbox_reaches_nobody_and_the_next_one_does(broker, version):
    from twisted.internet.threads import deferToThread

    mosquitto, recorder = broker
    ear = Ear()
    uplink = mqtt_uplink(mosquitto.port, version=version, inbox=ear)
    uplink.start()
    await recorder.until(lambda: recorder.messages)  # the birth: the inbox can be reached
    for _ in range(30):  # more than a broker keeps unconfirmed
        await deferToThread(publish, mosquitto.back_port, ear.topic, b"x" * 300_000)
    await deferToThread(publish, mosquitto.back_port, ear.topic, "small")
    await wait_for(lambda: ear.heard)
    assert ear.heard == [(b"small", False)]
    assert uplink.standing().is_up
    if version == "3.1.1":  # a broker of version 5 does not even send it
        assert uplink._session._link.refused == 30
    await uplink.stop()


@pytest_twisted.ensureDeferred
async def test_an_answer_while_the_broker_is_away_is_dropped(broker):
    mosquitto, _ = broker
    uplink = mqtt_uplink(mosquitto.port, inbox=Ear())
    uplink._answer(b"nobody hears")
    uplink.start()
    await uplink.when_ready()
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


@pytest.mark.parametrize("is_pinned", [False, True])
@pytest.mark.parametrize("shown", ["own", "with its key in one file", "stranger's", "none"])
@pytest_twisted.ensureDeferred
async def test_a_broker_that_wants_our_certificate_gets_it(make_broker, tmp_path, authority, is_pinned, shown):
    served = identity(tmp_path, "broker", authority)
    own = identity(tmp_path, "box", None if shown == "stranger's" else authority)
    cert_file, key_file = own.cert_file, own.key_file
    if shown == "with its key in one file":
        both = tmp_path / "both.pem"
        both.write_text(Path(key_file).read_text() + Path(cert_file).read_text())
        cert_file, key_file = str(both), ""
    elif shown == "none":
        cert_file = key_file = ""
    front = [*tls_front(served)[1:], f"cafile {authority.cert_file}", "require_certificate true"]
    mosquitto, _ = make_broker(front=[*front, "use_identity_as_username true"])
    whom = {"pinned_file": served.cert_file} if is_pinned else {"ca_file": authority.cert_file}
    uplink = mqtt_uplink(mosquitto.port, Trust(**whom, own_cert_file=cert_file, own_key_file=key_file))
    if shown in ("own", "with its key in one file"):
        uplink.start()
        await uplink.when_ready()
        assert (await uplink.send(batch(interval(1)))).accepted == {1}
    else:
        assert await given_up(uplink)
        assert not uplink.standing().is_up
    await uplink.stop()


@pytest.mark.parametrize("trust", [None, "authority"])
@pytest_twisted.ensureDeferred
async def test_every_byte_is_counted_that_tcp_carries(make_broker, tmp_path, authority, trust):
    from twisted.internet import reactor

    served = identity(tmp_path, "broker", authority)
    mosquitto, _ = make_broker(front=tls_front(served) if trust else ())
    relay = Relay(mosquitto.port)
    port = reactor.listenTCP(0, relay, interface="127.0.0.1")
    meter = Meter(FixedWall(), reactor, ZoneInfo("UTC"), lambda counts: None)
    endpoint = broker_endpoint(
        reactor, "127.0.0.1", port.getHost().port, trust and Trust(ca_file=authority.cert_file), meter
    )
    uplink = mqtt_uplink(0, endpoint=endpoint, meter=meter)
    uplink.start()
    await uplink.when_ready()
    await uplink.send(batch(*map(interval, range(1, 201))))
    await uplink.stop()
    await wait_for(lambda: (meter.traffic.sent, meter.traffic.received) == (relay.up, relay.down))
    assert relay.up > 200 * 100
    assert uplink.standing().traffic == meter.traffic
    await port.stopListening()


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
    uploader = Uploader(
        [Course(feed)], uplink, reactor, FixedWall(), lambda *told: reports.append(told), lambda: 0.5, limits
    )
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
