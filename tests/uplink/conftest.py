"""Peers for the uplinks: brokers and file servers, each test its own."""

import pytest

from tests.support.brokers import Mosquitto, Recorder, SilentServer
from tests.support.certificates import identity
from tests.support.ftp_servers import FtpServerProcess


@pytest.fixture
def make_broker(tmp_path):
    """Starts a mosquitto with these settings, and a recorder at it."""
    made = []

    def make(settings=(), front=()):
        broker = Mosquitto(tmp_path, settings, front)
        broker.start()
        recorder = Recorder(broker.back_port)
        recorder.subscribe()
        made.extend([recorder.leave, broker.stop])
        return broker, recorder

    yield make
    for end in made:
        end()


@pytest.fixture
def broker(make_broker):
    return make_broker()


@pytest.fixture
def silent_server():
    server = SilentServer()
    yield server
    server.close()


@pytest.fixture
def authority(tmp_path):
    return identity(tmp_path, "authority", is_authority=True)


@pytest.fixture
def make_ftp(tmp_path):
    """Starts an FTP server with these faults, over TLS where a certificate is given: pyftpdlib or another one."""
    servers = []

    def make(*faults, certificate=None, kind=FtpServerProcess):
        root = tmp_path / "ftp"
        root.mkdir()
        server = kind(root, certificate)
        servers.append(server)
        server.start(*faults)
        return server

    yield make
    for server in servers:
        server.kill()
