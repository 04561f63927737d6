"""The gateway on real sockets and pseudo-terminals: nothing is lost at any speed, ends are seen, TLS is spoken."""

import os
import select
import socket
import ssl
import struct
import termios
import threading
import tty
from ipaddress import ip_network
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.threads import deferToThread

from concentrator.line.endpoint import endpoint_from
from concentrator.line.line import Line
from concentrator.mbusgate.doorman import Opening
from concentrator.mbusgate.gateway import Gateway
from concentrator.mbusgate.terms import Terms
from concentrator.mbusgate.tls import Credentials, TlsEndpoint
from concentrator.wire.conversation import LineSettings
from concentrator.wire.mbus_frame import silence_s
from tests.support.certificates import identity
from tests.support.gateways import Polling

SETTINGS = LineSettings(2400, 11)
MUCH = bytes(range(256)) * 4096  # a MiB
PATIENCE_S = 30
NKE = bytes.fromhex("10 40 01 41 16")


class Home:
    """A gateway at a free port, on a line whose far end `meters` is the test's, as a file descriptor."""

    def __init__(self, credentials=None, character_s=0.0, **terms):
        from twisted.internet import reactor

        self.meters, slave = os.openpty()
        tty.setraw(slave)
        self.slave = slave
        path = os.ttyname(slave)
        endpoint = endpoint_from(reactor, f"serial:{path}:baudrate=2400:parity=E")
        self.line = Line("mbus", endpoint, reactor, character_s, silence_s(SETTINGS))
        self.line.start()
        plain = self.listening = Listening(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1"))
        opening = Opening(TlsEndpoint(plain, credentials) if credentials else plain, "tcp:0", bool(credentials))
        given = Terms(**{"networks": (ip_network("127.0.0.0/8"),), **terms})
        self.gateway = Gateway("main", self.line, given, [opening], Polling(), reactor)
        self.gateway.start()

    @property
    def port(self):
        return self.listening.port.getHost().port

    def client(self):
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        client.settimeout(PATIENCE_S)
        return client

    def connected(self):
        """A client that has the line."""
        client = self.client()
        client.sendall(b"x")
        assert self.hear(1) == b"x"
        return client

    def hear(self, count):
        """So many bytes at the meters' end."""
        heard = b""
        while len(heard) < count:
            assert select.select([self.meters], [], [], PATIENCE_S)[0], f"only {len(heard)} bytes came"
            heard += os.read(self.meters, 65536)
        return heard

    def say(self, data):
        while data:
            data = data[os.write(self.meters, data[:4096]) :]

    async def close(self):
        await self.gateway.stop()
        await self.line.stop()
        os.close(self.meters)
        os.close(self.slave)


class Listening:
    """An endpoint whose port is known afterwards."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.port = None

    def listen(self, factory):
        def listens(port):
            self.port = port
            return port

        return self.endpoint.listen(factory).addCallback(listens)


def everything(client, count):
    heard = bytearray()
    while len(heard) < count:
        data = client.recv(65536)
        assert data, f"it closed after {len(heard)} bytes"
        heard += data
    return bytes(heard)


@pytest.fixture
def homes():
    built = []

    def build(*args, **terms):
        built.append(Home(*args, **terms))
        return built[-1]

    yield build
    for home in built:
        pytest_twisted.blockon(Deferred.fromCoroutine(home.close()))


@pytest_twisted.ensureDeferred
async def test_no_byte_is_lost_in_either_direction_however_fast(homes):
    home = homes()

    def talk():
        with home.connected() as client:
            sending = threading.Thread(target=client.sendall, args=(MUCH,))
            saying = threading.Thread(target=home.say, args=(MUCH[::-1],))
            hearing = []
            listening = threading.Thread(target=lambda: hearing.append(home.hear(len(MUCH))))
            for thread in (sending, saying, listening):
                thread.start()
            heard = everything(client, len(MUCH))
            for thread in (sending, saying, listening):
                thread.join(PATIENCE_S)
            return heard, hearing[0]

    from_line, from_client = await deferToThread(talk)
    assert from_line == MUCH[::-1]
    assert from_client == MUCH
    figures = home.gateway.statistics
    assert (figures.from_serial, figures.from_network) == (len(MUCH), len(MUCH) + 1)


@pytest_twisted.ensureDeferred
async def test_what_a_client_said_before_it_ended_arrives_and_is_answered(homes):
    home = homes()

    def talk():
        with home.client() as client:
            sending = threading.Thread(target=lambda: client.sendall(MUCH) or client.shutdown(socket.SHUT_WR))
            sending.start()
            said = home.hear(len(MUCH))
            home.say(b"the answer")
            answer, after = everything(client, 10), client.recv(1)
            sending.join(PATIENCE_S)
            return said, answer, after

    said, answer, after = await deferToThread(talk)
    assert said == MUCH
    assert (answer, after) == (b"the answer", b"")


@pytest_twisted.ensureDeferred
async def test_a_client_is_not_listened_to_faster_than_the_line_takes_it(homes):
    home = homes()

    def talk():
        with home.client() as client:
            client.setblocking(False)
            sent = 0
            while select.select([], [client], [], 0.3)[1]:
                sent += client.send(bytes(65536))
            heard = home.hear(sent)
            return sent, len(heard), home.gateway.statistics.from_network

    sent, heard, forwarded = await deferToThread(talk)
    assert (
        sent == heard == forwarded
    )  # and not what the sockets of the machine can hold, which the first loop has found


@pytest_twisted.ensureDeferred
async def test_a_second_client_sees_its_connection_end(homes):
    home = homes()

    def talk():
        with home.client() as first, home.client() as second:
            assert second.recv(1) == b""
            first.sendall(b"x")
            return home.hear(1)

    assert await deferToThread(talk) == b"x"
    assert home.gateway.statistics.dropped_accepts == 1


@pytest_twisted.ensureDeferred
async def test_a_client_that_resets_makes_room_for_the_next(homes):
    home = homes()

    def talk():
        with home.connected() as first:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for _ in range(100):
            with home.client() as second:
                second.sendall(b"y")
                if select.select([home.meters], [], [], 0.1)[0]:
                    return os.read(home.meters, 10)
        return b""

    assert await deferToThread(talk) == b"y"


@pytest_twisted.ensureDeferred
async def test_an_unplugged_port_ends_the_connection(homes):
    home = homes()

    def talk():
        with home.connected() as client:
            os.close(home.slave)
            os.close(home.meters)
            home.meters, home.slave = os.openpty()
            return client.recv(1)

    assert await deferToThread(talk) == b""


@pytest_twisted.ensureDeferred
async def test_keep_alive_is_tcps(homes):
    home = homes(keepalive_s=45.0)
    options = []
    client = await deferToThread(home.connected)
    handle = home.gateway._passage.client.transport.getHandle()
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
        options.append(handle.getsockopt(socket.IPPROTO_TCP, option))
    assert handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert options == [45, 15, 3]
    client.close()


@pytest_twisted.ensureDeferred
async def test_while_a_client_has_the_line_the_driver_drops_damaged_characters_and_only_then(homes):
    home = homes()
    dropping = termios.INPCK | termios.IGNPAR

    def flags():
        return termios.tcgetattr(home.slave)[0] & dropping

    assert flags() == 0
    client = await deferToThread(home.connected)
    assert flags() == dropping
    home.line.set_speed(LineSettings(300, 11), silence_s(LineSettings(300, 11)))
    assert flags() == dropping
    assert termios.tcgetattr(home.slave)[4] == termios.B300
    client.close()
    await home.gateway.stop()
    assert flags() == 0


@pytest_twisted.ensureDeferred
async def test_whole_frames_arrive_in_one_piece_and_noise_is_not_kept(homes):
    home = homes(character_s=0.0, is_framed=True)
    frame = bytes.fromhex("68 03 03 68 08 01 72 7B 16")

    def talk():
        with home.connected() as client:
            for byte in frame[:-1]:
                home.say(bytes((byte,)))
            nothing = select.select([client], [], [], 0.02)[0]
            home.say(frame[-1:])
            whole = client.recv(100)
            home.say(b"\x00\x01noise")
            noise = everything(client, 7)
            home.say(frame[:5])
            return nothing, whole, noise, everything(client, 5)

    assert await deferToThread(talk) == ([], frame, b"\x00\x01noise", frame[:5])


class TestTls:
    @pytest.fixture
    def authority(self, tmp_path):
        return identity(tmp_path, "authority", is_authority=True)

    def context(self, authority, who=None):
        context = ssl.create_default_context(cafile=authority.cert_file)
        if who is not None:
            context.load_cert_chain(who.cert_file, who.key_file)
        return context

    def credentials(self, who, authority=None):
        return Credentials(Path(who.cert_file), Path(who.key_file), Path(authority.cert_file) if authority else None)

    @pytest_twisted.ensureDeferred
    async def test_bytes_pass_both_ways_as_they_are(self, homes, tmp_path, authority):
        home = homes(self.credentials(identity(tmp_path, "box", authority)))
        context = self.context(authority)

        def talk():
            with home.client() as plain, context.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(MUCH[:100_000])
                said = home.hear(100_000)
                home.say(MUCH[:100_000])
                return said, everything(client, 100_000), client.version()

        said, heard, version = await deferToThread(talk)
        assert (said, heard) == (MUCH[:100_000], MUCH[:100_000])
        assert version == "TLSv1.3"

    @pytest_twisted.ensureDeferred
    async def test_whoever_shows_no_certificate_does_not_hold_the_line_up(self, homes, tmp_path, authority):
        who = identity(tmp_path, "box", authority)
        home = homes(self.credentials(who, authority))
        stranger = self.context(authority)
        friend = self.context(authority, identity(tmp_path, "head-end", authority))

        def talk():
            with home.client():  # it says nothing at all
                with home.client() as plain, stranger.wrap_socket(plain, server_hostname="localhost") as client:
                    refuse = pytest.raises(ssl.SSLError)
                    with refuse:
                        client.recv(1)
                with home.client() as plain, friend.wrap_socket(plain, server_hostname="localhost") as client:
                    client.sendall(b"y")
                    return home.hear(1)

        assert await deferToThread(talk) == b"y"
        assert home.gateway.statistics.completed_accepts == 1

    @pytest_twisted.ensureDeferred
    async def test_a_renewed_certificate_counts_from_the_next_connection_on(self, homes, tmp_path, authority):
        who = identity(tmp_path, "box", authority)
        home = homes(self.credentials(who))
        context = self.context(authority)

        def shown():
            with home.client() as plain, context.wrap_socket(plain, server_hostname="localhost") as client:
                return client.getpeercert()["serialNumber"]

        before = await deferToThread(shown)
        renewed = identity(tmp_path, "box", authority)
        os.utime(renewed.cert_file, ns=(1, 1))
        assert await deferToThread(shown) != before
        assert f"{renewed.certificate.serial_number:X}" in (await deferToThread(shown)).lstrip("0")

    @pytest_twisted.ensureDeferred
    async def test_a_certificate_that_is_half_renewed_keeps_nobody_out(self, homes, tmp_path, authority):
        who = identity(tmp_path, "box", authority)
        home = homes(self.credentials(who))
        context = self.context(authority)

        def talk():
            with home.client() as plain, context.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(NKE)
                assert home.hear(len(NKE)) == NKE
                home.say(b"\xe5")  # else the next client would wait until nobody can answer this one any more
                return client.recv(1)

        assert await deferToThread(talk) == b"\xe5"
        Path(who.cert_file).write_bytes(Path(identity(tmp_path, "other", authority).cert_file).read_bytes())
        assert await deferToThread(talk) == b"\xe5"
        Path(who.cert_file).unlink()
        assert await deferToThread(talk) == b"\xe5"

    def test_files_of_no_use_are_told(self, tmp_path, authority):
        from twisted.internet.testing import MemoryReactorClock
        from twisted.trial.unittest import SynchronousTestCase

        results = SynchronousTestCase()
        plain = TCP4ServerEndpoint(MemoryReactorClock(), 1)
        absent = Credentials(tmp_path / "absent.crt", tmp_path / "absent.key")
        failure = results.failureResultOf(TlsEndpoint(plain, absent).listen(None))
        assert "absent.crt: No such file" in failure.getErrorMessage()
        one, other = identity(tmp_path, "one", authority), identity(tmp_path, "other", authority)
        mixed = Credentials(Path(one.cert_file), Path(other.key_file))
        failure = results.failureResultOf(TlsEndpoint(plain, mixed).listen(None))
        assert "mismatch" in failure.getErrorMessage()
