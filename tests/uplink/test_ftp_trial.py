"""A trial of real FTP servers: it says at which stage it ended and why, and what it leaves behind."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater

from concentrator.app.threads import LooseThreads
from concentrator.uplink import ftp_trial
from concentrator.uplink.ftp_session import FtpServer
from concentrator.uplink.ftp_trial import NAMES, FtpTrial
from tests.support.brokers import free_port
from tests.support.certificates import identity
from tests.support.ftp_servers import FtpServerProcess, VsftpdProcess
from tests.support.records import FixedWall


def trial_of(server, **changes):
    known = {"host": "127.0.0.1", "port": server.port, "user": server.user, "password": server.password}
    wanted = FtpServer(**(known | {"directory": "/"} | changes))
    return FtpTrial(wanted, "4220080001", LooseThreads(reactor, "trial", 1), reactor, FixedWall())


async def outcome(server, **changes):
    told = []
    result = await trial_of(server, **changes).run(lambda done, text, so_far=None: told.append(so_far))
    assert told[-1] == result
    return result


def states(result):
    return " ".join(f"{each['name']}:{each['state']}" for each in result["stages"])


@pytest.mark.parametrize("kind", [FtpServerProcess, VsftpdProcess])
@pytest.mark.parametrize("tls", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_file_is_written_renamed_and_deleted(make_ftp, authority, tmp_path, kind, tls):
    who = identity(tmp_path, "server", authority)
    server = make_ftp(kind=kind, certificate=(who.cert_file, who.key_file) if tls else None)
    (server.root / "incoming").mkdir()
    folder = server.directory("incoming")
    result = await outcome(server, directory=folder, tls=tls, ca_file=authority.cert_file)
    assert result["passed"], result
    assert [each["name"] for each in result["stages"]] == [name for name in NAMES if tls or name != "tls"]
    assert result["facts"]["dir"] == folder and result["facts"]["file"].startswith("ccmaster-test-4220080001-")
    assert server.files() == {}


@pytest_twisted.ensureDeferred
async def test_a_directory_that_is_not_there_is_told_and_not_made(make_ftp):
    server = make_ftp()
    result = await outcome(server, directory="/incomming")
    assert states(result).endswith("login:passed directory:failed write:waiting rename:waiting delete:waiting")
    assert (result["reason"], result["facts"]["dir"]) == ("directory", "/incomming")
    assert list(server.root.iterdir()) == []


@pytest_twisted.ensureDeferred
async def test_without_a_directory_it_goes_where_the_login_leads(make_ftp):
    result = await outcome(make_ftp(), directory="")
    assert result["passed"] and "directory" not in states(result)


@pytest_twisted.ensureDeferred
async def test_who_is_not_let_in_is_told_so_without_the_password(make_ftp):
    server = make_ftp("login")
    result = await outcome(server)
    assert states(result).startswith("name:passed port:passed login:failed directory:waiting")
    assert (result["reason"], result["facts"]["user"]) == ("auth", server.user)
    assert server.password not in str(result)


@pytest_twisted.ensureDeferred
async def test_a_server_that_takes_no_files_fails_at_writing(make_ftp):
    result = await outcome(make_ftp("stor"))
    assert states(result).endswith("directory:passed write:failed rename:waiting delete:waiting")
    assert result["reason"] == "write" and result["said"].startswith("550")


@pytest_twisted.ensureDeferred
async def test_a_certificate_that_is_not_believed_fails_at_tls(make_ftp, authority, tmp_path):
    who = identity(tmp_path, "server", authority)
    stranger = identity(tmp_path, "stranger", is_authority=True)
    server = make_ftp(certificate=(who.cert_file, who.key_file))
    for ca_file, reason in ((stranger.cert_file, "tls_authority"), ("", "tls_unknown")):
        result = await outcome(server, tls=True, ca_file=ca_file)
        assert states(result).startswith("name:passed port:passed tls:failed login:waiting")
        assert result["reason"] == reason
    (tmp_path / "empty").write_text("nothing here")
    assert (await outcome(server, tls=True, ca_file=str(tmp_path / "empty")))["reason"] == "files"


@pytest_twisted.ensureDeferred
async def test_a_certificate_of_another_host_is_told_from_one_of_a_stranger(make_ftp, authority, tmp_path):
    who = identity(tmp_path, "server", authority, address="127.0.0.9")
    server = make_ftp(certificate=(who.cert_file, who.key_file))
    assert (await outcome(server, tls=True, ca_file=authority.cert_file))["reason"] == "tls_name"


@pytest_twisted.ensureDeferred
async def test_a_server_without_tls_says_that_it_has_none(make_ftp):
    result = await outcome(make_ftp(), tls=True)
    assert states(result).startswith("name:passed port:passed tls:failed") and result["reason"] == "tls_none"


@pytest_twisted.ensureDeferred
async def test_nobody_at_the_port_and_no_such_name_are_stages_of_their_own(make_ftp):
    server = make_ftp()
    result = await outcome(server, port=free_port())
    assert states(result).startswith("name:passed port:failed") and result["reason"] == "refused"
    result = await outcome(server, host="nobody.invalid")
    assert states(result).startswith("name:failed port:waiting") and result["reason"] == "name"


class Silent:
    user, password = "box", "s3cret-word"

    def __init__(self, port):
        self.port = port


@pytest_twisted.ensureDeferred
async def test_a_server_that_says_nothing_is_given_up(silent_server, monkeypatch):
    monkeypatch.setattr(ftp_trial, "LONGEST_S", 0.3)
    result = await outcome(Silent(silent_server.port))
    assert states(result).startswith("name:passed port:failed") and result["reason"] == "late"


@pytest_twisted.ensureDeferred
async def test_it_can_be_cancelled_while_it_waits(silent_server):
    trial = trial_of(Silent(silent_server.port))
    going = trial.run(lambda done, text, so_far=None: None)
    while trial._stages.at == "name":
        await deferLater(reactor, 0.01)
    going.cancel()
    with pytest.raises(CancelledError):
        await going
    assert trial._session.is_aborted
