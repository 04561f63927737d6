"""What every uplink promises, whatever it speaks."""

import pytest
import pytest_twisted

from concentrator.app.threads import LooseThreads
from concentrator.model.errors import TryLater
from concentrator.uplink.broker_endpoint import Trust
from tests.support.certificates import identity
from tests.support.ftp_servers import FtpServerProcess, VsftpdProcess
from tests.support.ftp_uplinks import ftp_uplink, settings_of
from tests.support.records import NOW, batch, file_batch, interval
from tests.support.uplinks import mqtt_uplink, wait_for


class MqttPeer:
    """A broker whose recorder tells what arrived."""

    def __init__(self, make_broker, tmp_path, authority, *, tls=False, **settings):
        front, trust = (), None
        if tls:
            served = identity(tmp_path, "broker", authority)
            front = ["allow_anonymous true", f"certfile {served.cert_file}", f"keyfile {served.key_file}"]
            trust = Trust(ca_file=authority.cert_file)
        self.broker, self.recorder = make_broker(front=front)
        self.uplink = mqtt_uplink(self.broker.port, trust, **settings)

    def batch(self, *numbers):
        return batch(*(interval(n) for n in numbers))

    def delivered(self):
        return self.recorder.numbers()

    def leave(self):
        self.broker.kill()
        self.recorder.drain()

    async def leave_in_the_middle(self):
        await self.recorder.until(lambda: len(self.recorder.numbers()) > 20)
        self.leave()

    def come_back(self):
        self.broker.start()
        self.recorder.subscribe()

    def close(self):
        pass


class FtpPeer:
    """A server whose folder tells what arrived: a record is there when it stands in a complete file."""

    def __init__(self, make_ftp, tmp_path, authority, *, tls=False, kind=FtpServerProcess, **settings):
        from twisted.internet import reactor

        served = identity(tmp_path, "ftp-server", authority) if tls else None
        self.server = make_ftp(certificate=(served.cert_file, served.key_file) if served else None, kind=kind)
        self.batches = []
        self.uplink = ftp_uplink(
            self.server.port,
            threads=LooseThreads(reactor, "ftp"),
            clock=reactor,
            tls=tls,
            ca_file=authority.cert_file if tls else "",
            **settings_of(self.server),
            **settings,
        )

    def batch(self, *numbers):
        made = file_batch(*(interval(n, NOW - 10 * n) for n in numbers), start=NOW - 10**6, stop=NOW + min(numbers))
        self.batches.append(made)
        return made

    def delivered(self):
        names = {name.rsplit("/", 1)[1].rsplit(".", 1)[0] for name in self.server.files()}
        return {n for made in self.batches if made.stem in names for n in made.numbers}

    def leave(self):
        self.server.kill()

    async def leave_in_the_middle(self):
        await wait_for(self.server.files)  # the part of one, or already a whole one
        self.leave()

    def come_back(self):
        self.server.start()

    def close(self):
        pass


@pytest.fixture(
    params=[
        "mqtt-3.1.1-1",
        "mqtt-3.1.1-2",
        "mqtt-5-1",
        "mqtt-5-2",
        "mqtts",
        "ftp-csv",
        "ftp-json",
        "ftps",
        "vsftpd-csv",
        "vsftpds",
    ]
)
def peer(request, make_broker, make_ftp, tmp_path, authority):
    kind, *how = request.param.split("-")
    if kind.startswith("mqtt"):
        settings = {"version": how[0], "qos": int(how[1])} if how else {"tls": True}
        peer = MqttPeer(make_broker, tmp_path, authority, **settings)
    else:
        server = VsftpdProcess if kind.startswith("vsftpd") else FtpServerProcess
        peer = FtpPeer(make_ftp, tmp_path, authority, kind=server, **({"form": how[0]} if how else {"tls": True}))
    yield peer
    peer.close()


def timers():
    from twisted.internet import reactor

    return set(reactor.getDelayedCalls())


async def sent(uplink, batch):
    """The receipt, or the TryLater."""
    try:
        return await uplink.send(batch)
    except TryLater as why:
        return why


@pytest_twisted.ensureDeferred
async def test_it_accepts_what_it_delivered(peer):
    peer.uplink.start()
    await peer.uplink.when_ready()
    receipt = await peer.uplink.send(peer.batch(*range(1, 101)))
    assert receipt.accepted == set(range(1, 101))
    assert receipt.rejected == {}
    await wait_for(lambda: peer.delivered() == set(range(1, 101)))
    assert peer.uplink.standing().is_up
    assert peer.uplink.standing().trouble == ""
    await peer.uplink.stop()


@pytest_twisted.ensureDeferred
async def test_when_the_peer_is_away_it_says_later_and_when_it_is_back_it_delivers(peer):
    peer.uplink.start()
    await peer.uplink.when_ready()
    peer.leave()
    why = await sent(peer.uplink, peer.batch(1, 2))
    assert isinstance(why, TryLater)
    assert why.detail
    assert why.receipt.accepted == set()
    await wait_for(lambda: not peer.uplink.standing().is_up)
    assert peer.uplink.standing().trouble
    peer.come_back()
    await peer.uplink.when_ready()
    assert (await peer.uplink.send(peer.batch(1, 2))).accepted == {1, 2}
    await wait_for(lambda: peer.delivered() == {1, 2})
    assert peer.uplink.standing().is_up
    await peer.uplink.stop()


@pytest_twisted.ensureDeferred
async def test_nothing_is_accepted_that_was_not_delivered(peer):
    peer.uplink.start()
    await peer.uplink.when_ready()
    numbers = set(range(1, 2001))
    sending = sent(peer.uplink, peer.batch(*numbers))
    from twisted.internet.defer import Deferred

    sending = Deferred.fromCoroutine(sending)
    await peer.leave_in_the_middle()
    outcome = await sending
    receipt = outcome.receipt if isinstance(outcome, TryLater) else outcome
    assert receipt.accepted <= peer.delivered()
    assert receipt.rejected == {}
    if isinstance(outcome, TryLater):
        assert not outcome.in_flight & receipt.accepted
    await peer.uplink.stop()


@pytest.mark.parametrize("moment", ["idle", "away", "in flight", "connecting", "never started"])
@pytest_twisted.ensureDeferred
async def test_a_stop_at_any_moment_leaves_no_timer_and_can_be_repeated(peer, moment):
    before = timers()
    if moment != "never started":
        peer.uplink.start()
    if moment in ("idle", "in flight", "away"):
        await peer.uplink.when_ready()
    if moment == "away":
        peer.leave()
        await sent(peer.uplink, peer.batch(1))
    if moment == "in flight":
        peer.uplink.send(peer.batch(*range(1, 1001))).addErrback(lambda failure: failure.trap(TryLater))
    await peer.uplink.stop()
    await peer.uplink.stop()
    await wait_for(lambda: {call for call in timers() - before if call.time - call.seconds() > 0.1} == set())


@pytest_twisted.ensureDeferred
async def test_it_can_be_started_again(peer):
    for n in (1, 2):
        peer.uplink.start()
        await peer.uplink.when_ready()
        assert (await peer.uplink.send(peer.batch(n))).accepted == {n}
        await peer.uplink.stop()
    await wait_for(lambda: peer.delivered() == {1, 2})


def test_it_says_what_it_is(peer):
    assert peer.uplink.name
    assert peer.uplink.kind in ("mqtt", "ftp")
    assert "127.0.0.1" in peer.uplink.address
    assert not peer.uplink.standing().is_up
