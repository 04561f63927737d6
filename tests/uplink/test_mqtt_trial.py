"""A trial of real brokers: it says at which stage it ended and why, and leaves nothing behind."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError

from concentrator.uplink import mqtt_trial
from concentrator.uplink.broker_endpoint import Trust
from concentrator.uplink.mqtt_trial import NAMES, MqttTrial
from concentrator.uplink.paho_link import Hello
from concentrator.uplink.payload import Message
from tests.support.brokers import free_port
from tests.support.certificates import identity
from tests.support.records import FixedWall

TOPIC = "/ccm/srv/4220080001/test"


class Tried:
    """One trial and what it told on its way."""

    def __init__(self, port, host="127.0.0.1", trust=None, qos=1, **hello):
        known = {"client_id": "trial", "will": Message(TOPIC, b"")} | hello
        self.told = []
        self.trial = MqttTrial(reactor, FixedWall(), host, port, trust, Hello(**known), TOPIC, qos)

    def run(self):
        return self.trial.run(lambda done, text, so_far=None: self.told.append(so_far))


async def outcome(*arguments, **keywords):
    return await Tried(*arguments, **keywords).run()


def states(result):
    return " ".join(f"{each['name']}:{each['state']}" for each in result["stages"])


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest_twisted.ensureDeferred
async def test_a_message_goes_there_and_comes_back(broker, version, qos):
    server, recorder = broker
    tried = Tried(server.port, version=version, qos=qos)
    result = await tried.run()
    assert result["passed"] and result["facts"]["topic"] == TOPIC and result["facts"]["ms"] >= 1
    assert [each["name"] for each in result["stages"]] == [name for name in NAMES if name != "tls"]
    assert all(each["state"] == "passed" and each["ms"] >= 0 for each in result["stages"])
    await recorder.until(lambda: any(topic == TOPIC for topic, *_ in recorder.messages))
    assert [(topic, kept) for topic, _, kept in recorder.messages] == [(TOPIC, False)]
    assert [told["stages"][0]["state"] for told in tried.told][:2] == ["running", "passed"]


@pytest_twisted.ensureDeferred
async def test_over_tls_the_handshake_is_a_stage_of_its_own(make_broker, authority, tmp_path):
    server, _ = make_broker(front=secure(tmp_path, authority))
    result = await outcome(server.port, trust=Trust(ca_file=authority.cert_file))
    assert result["passed"] and [each["name"] for each in result["stages"]] == list(NAMES)


def secure(folder, signer):
    who = identity(folder, "server", signer)
    return ["allow_anonymous true", f"certfile {who.cert_file}", f"keyfile {who.key_file}"]


@pytest_twisted.ensureDeferred
async def test_a_certificate_that_is_not_believed_is_named(make_broker, authority, tmp_path):
    server, _ = make_broker(front=secure(tmp_path, authority))
    stranger = identity(tmp_path, "stranger", is_authority=True)
    for trust, reason in (
        (Trust(ca_file=stranger.cert_file), "tls_authority"),
        (Trust(), "tls_unknown"),
        (Trust(pinned_file=stranger.cert_file), "tls_pinned"),
    ):
        result = await outcome(server.port, trust=trust)
        assert states(result).startswith("name:passed port:passed tls:failed login:waiting")
        assert (result["passed"], result["reason"]) == (False, reason)
        assert result["facts"]["issuer"] == "authority"


@pytest_twisted.ensureDeferred
async def test_a_certificate_of_another_host_is_told_from_one_of_a_stranger(make_broker, authority, tmp_path):
    who = identity(tmp_path, "server", authority, address="127.0.0.9")
    front = ["allow_anonymous true", f"certfile {who.cert_file}", f"keyfile {who.key_file}"]
    server, _ = make_broker(front=front)
    result = await outcome(server.port, trust=Trust(ca_file=authority.cert_file))
    assert (result["reason"], result["facts"]["host"]) == ("tls_name", "127.0.0.1")


@pytest_twisted.ensureDeferred
async def test_a_certificate_that_has_expired_says_since_when(make_broker, authority, tmp_path):
    server, _ = make_broker(front=secure(tmp_path, authority))
    stranger = identity(tmp_path, "stranger", is_authority=True)
    tried = Tried(server.port, trust=Trust(ca_file=stranger.cert_file))
    tried.trial._wall.at = 4e9
    result = await tried.run()
    assert result["reason"] == "tls_expired" and result["facts"]["until"].startswith("20")


@pytest_twisted.ensureDeferred
async def test_a_port_that_speaks_no_tls_fails_there(broker):
    server, _ = broker
    result = await outcome(server.port, trust=Trust())
    assert states(result).startswith("name:passed port:passed tls:failed") and result["reason"] == "tls"


@pytest_twisted.ensureDeferred
async def test_who_is_not_let_in_is_told_so(make_broker, tmp_path):
    (tmp_path / "users").write_text("")
    server, _ = make_broker(front=["allow_anonymous false", f"password_file {tmp_path / 'users'}"])
    for version in ("3.1.1", "5"):
        result = await outcome(server.port, user="box", password="s3cret", version=version)
        assert (result["reason"], result["facts"]["user"]) == ("auth", "box")
        assert states(result).startswith("name:passed port:passed login:failed subscribe:waiting")
        assert "s3cret" not in str(result)
        assert (await outcome(server.port, version=version))["reason"] == "auth_nobody"


@pytest_twisted.ensureDeferred
async def test_a_message_that_does_not_come_back_is_told_from_one_not_taken(make_broker, tmp_path, monkeypatch):
    (tmp_path / "rights").write_text("topic write /ccm/srv/#\n")
    server, _ = make_broker(front=["allow_anonymous true", f"acl_file {tmp_path / 'rights'}"])
    monkeypatch.setattr(mqtt_trial, "LONGEST_S", 1.0)
    result = await outcome(server.port)
    assert states(result).endswith("publish:passed return:failed") and result["reason"] == "late"
    (tmp_path / "rights").write_text("topic read /ccm/srv/#\n")
    server.stop()
    server.start()
    result = await outcome(server.port, version="5")
    assert states(result).endswith("subscribe:passed publish:failed return:waiting")
    assert result["reason"] == "publish" and "authorized" in result["said"].lower()


@pytest_twisted.ensureDeferred
async def test_nobody_at_the_port_and_no_such_name_are_stages_of_their_own():
    port = free_port()
    result = await outcome(port)
    assert states(result).startswith("name:passed port:failed login:waiting")
    assert (result["reason"], result["facts"]["port"]) == ("refused", port)
    result = await outcome(1883, host="nobody.invalid")
    assert states(result).startswith("name:failed port:waiting") and result["reason"] == "name"


@pytest_twisted.ensureDeferred
async def test_files_that_are_no_certificates_are_found_before_anything_is_sent(tmp_path):
    (tmp_path / "empty").write_text("nothing here")
    result = await outcome(free_port(), trust=Trust(ca_file=str(tmp_path / "empty")))
    assert result["reason"] == "files" and "there is no certificate in" in result["said"]


@pytest_twisted.ensureDeferred
async def test_a_broker_that_says_nothing_is_given_up(silent_server, monkeypatch):
    monkeypatch.setattr(mqtt_trial, "LONGEST_S", 0.3)
    result = await outcome(silent_server.port)
    assert states(result).startswith("name:passed port:passed login:failed")
    assert (result["reason"], result["passed"]) == ("late", False)


@pytest_twisted.ensureDeferred
async def test_it_can_be_cancelled_while_it_waits(silent_server):
    tried = Tried(silent_server.port)
    going = tried.run()
    await until(lambda: tried.trial._link is not None)
    going.cancel()
    with pytest.raises(CancelledError):
        await going
    await tried.trial._link.gone


async def until(is_so):
    from twisted.internet.task import deferLater

    while not is_so():
        await deferLater(reactor, 0.01)
