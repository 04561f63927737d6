"""One file and pyftpdlib, which misbehaves."""

import pytest

from concentrator.model.errors import TryLater
from concentrator.uplink.delivery import Delivery
from concentrator.uplink.ftp_session import Filed, FtpServer
from concentrator.uplink.ftp_wire import Habits
from tests.support.brokers import free_port
from tests.support.certificates import identity
from tests.support.ftp_servers import PASSWORD, USER

CONTENT = b"time,v1 [V],quality\r\n" + b"2026-11-28T11:15:00+01:00,230.1,good\r\n" * 1000
NAME = "box_meter_0_3600.csv"


def deliver(port, name=NAME, content=CONTENT, **settings):
    """What a delivery gives, or the error."""
    server = FtpServer("127.0.0.1", port, **{"user": USER, "password": PASSWORD, "directory": "/in", **settings})
    delivery = Delivery(server, Habits(), name, lambda: pieces(content))
    try:
        return delivery.run()
    except TryLater as why:
        assert PASSWORD not in str(why) + repr(why) + repr(server)
        return why.detail
    finally:
        if delivery.session is not None:
            delivery.session.leave()


def pieces(content):
    """The content as it is made, a little at a time."""
    return (content[i : i + 4000] for i in range(0, len(content), 4000))


@pytest.mark.parametrize("directory", ["", "/", "/a", "/a/b/c d", "relative/path", "/ñandú/x", "/a/b/"])
def test_the_directory_is_made_where_it_is_missing_and_used_where_it_is_not(make_ftp, directory):
    server = make_ftp()
    for _ in range(2):
        assert isinstance(deliver(server.port, directory=directory), Filed)
    folder = directory.strip("/")
    assert server.files() == {f"{folder}/{NAME}" if folder else NAME: CONTENT}


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (["login"], "log-in: 530 Authentication failed."),
        (["stor"], f"STOR {NAME}.part: 550 Not enough privileges."),
        (["short=3000"], f"SIZE {NAME}.part: 3000 of {len(CONTENT)} bytes arrived"),
    ],
)
def test_a_refusal_names_server_step_and_reply_and_leaves_nothing_under_the_name(make_ftp, faults, words):
    server = make_ftp(*faults)
    assert deliver(server.port) == f"ftp://127.0.0.1:{server.port}: {words}"
    assert f"in/{NAME}" not in server.files()
    server.again()
    assert deliver(server.port) == Filed()
    assert server.files() == {f"in/{NAME}": CONTENT}


def test_a_server_that_repeats_the_password_is_not_quoted(make_ftp):
    server = make_ftp("login")
    assert deliver(server.port, password="530").endswith("log-in: … Authentication failed.")


@pytest.mark.parametrize("after", [1, 1000, 20000])
def test_a_server_killed_in_the_middle_of_a_file_never_shows_a_part_of_it_under_its_name(make_ftp, after):
    server = make_ftp(f"die={after}")
    assert f": STOR {NAME}.part: " in deliver(server.port)
    assert list(server.files()) == [f"in/{NAME}.part"]
    assert len(server.files()[f"in/{NAME}.part"]) < len(CONTENT)
    server.kill()  # it is dying by itself: seen to be gone
    assert "connecting: [Errno 111]" in deliver(server.port)
    server.again()
    assert deliver(server.port) == Filed()
    assert server.files() == {f"in/{NAME}": CONTENT}


def test_a_reply_lost_after_the_renaming_makes_no_second_sending(make_ftp):
    server = make_ftp("rnto")
    assert deliver(server.port).endswith(f"RNTO {NAME}: the connection ended")
    assert server.files() == {f"in/{NAME}": CONTENT}
    server.again("stor")
    assert deliver(server.port) == Filed(was_there=True)
    assert server.files() == {f"in/{NAME}": CONTENT}


def test_a_longer_part_of_an_earlier_try_leaves_no_trace(make_ftp):
    server = make_ftp()
    (server.root / "in").mkdir()
    (server.root / f"in/{NAME}.part").write_bytes(CONTENT * 2)
    assert deliver(server.port) == Filed()
    assert server.files() == {f"in/{NAME}": CONTENT}


def test_another_file_of_that_name_makes_room_once_ours_is_complete(make_ftp):
    server = make_ftp("die=1000")
    (server.root / "in").mkdir()
    (server.root / f"in/{NAME}").write_bytes(b"another")
    deliver(server.port)
    assert server.files()[f"in/{NAME}"] == b"another"
    server.again()
    assert deliver(server.port) == Filed(replaced=7, kept_as=f"{NAME}.1")
    assert server.files() == {f"in/{NAME}": CONTENT, f"in/{NAME}.1": b"another"}
    assert deliver(server.port) == Filed(was_there=True)
    assert deliver(server.port, content=CONTENT * 2) == Filed(replaced=len(CONTENT), kept_as=f"{NAME}.2")
    kept = {f"in/{NAME}.1": b"another", f"in/{NAME}.2": CONTENT}
    assert server.files() == {f"in/{NAME}": CONTENT * 2, **kept}


@pytest.mark.parametrize("existing", [None, b"another"])
def test_a_server_that_knows_no_size_is_served_too(make_ftp, existing):
    server = make_ftp("size")
    if existing is not None:
        (server.root / "in").mkdir()
        (server.root / f"in/{NAME}").write_bytes(existing)
    sizes = {} if existing is None else {"replaced": 7, "kept_as": f"{NAME}.1"}
    assert deliver(server.port) == Filed(**sizes)
    assert server.files() == {f"in/{NAME}": CONTENT, **({f"in/{NAME}.1": b"another"} if existing else {})}
    assert deliver(server.port) == Filed(was_there=True)


def test_a_greeting_that_is_no_utf_8_disturbs_nothing(make_ftp):
    server = make_ftp("latin")
    assert deliver(server.port) == Filed()


def test_an_empty_file_is_a_file(make_ftp):
    server = make_ftp()
    assert deliver(server.port, content=b"") == Filed()
    assert server.files() == {f"in/{NAME}": b""}


def test_a_server_that_is_not_there_is_named():
    port = free_port()
    assert deliver(port) == f"ftp://127.0.0.1:{port}: connecting: [Errno 111] Connection refused"


def test_a_delivery_aborted_before_it_began_does_nothing(make_ftp):
    server = make_ftp()
    delivery = Delivery(FtpServer("127.0.0.1", server.port, USER, PASSWORD), Habits(), NAME, lambda: [CONTENT])
    delivery.abort()
    with pytest.raises(TryLater, match="connecting: stopped"):
        delivery.run()
    assert server.files() == {}


def over_tls(make_ftp, tmp_path, authority, *faults):
    served = identity(tmp_path, "ftp-server", authority)
    return make_ftp(*faults, certificate=(served.cert_file, served.key_file))


def test_over_tls_the_file_arrives_and_the_data_connection_is_private_too(make_ftp, tmp_path, authority):
    server = over_tls(make_ftp, tmp_path, authority)
    assert deliver(server.port, tls=True, ca_file=authority.cert_file, content=CONTENT * 10) == Filed()
    assert server.files() == {f"in/{NAME}": CONTENT * 10}


def test_a_server_that_vouches_for_itself_is_trusted_where_it_is_named(make_ftp, tmp_path):
    itself = identity(tmp_path, "itself")
    server = make_ftp(certificate=(itself.cert_file, itself.key_file))
    assert deliver(server.port, tls=True, ca_file=itself.cert_file) == Filed()
    assert server.files() == {f"in/{NAME}": CONTENT}


@pytest.mark.parametrize(("trusted", "words"), [("", "certificate verify failed"), ("absent.pem", ": certificates: ")])
def test_over_tls_a_stranger_gets_neither_password_nor_file(make_ftp, tmp_path, authority, trusted, words):
    server = over_tls(make_ftp, tmp_path, authority)
    assert words in deliver(server.port, tls=True, ca_file=trusted)
    assert server.files() == {}


def test_over_tls_a_death_in_the_middle_is_survived(make_ftp, tmp_path, authority):
    server = over_tls(make_ftp, tmp_path, authority, "die=1000")
    assert ": STOR " in deliver(server.port, tls=True, ca_file=authority.cert_file)
    assert f"in/{NAME}" not in server.files()
    server.again()
    assert deliver(server.port, tls=True, ca_file=authority.cert_file) == Filed()
    assert server.files() == {f"in/{NAME}": CONTENT}
