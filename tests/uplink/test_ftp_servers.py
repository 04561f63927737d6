"""What holds at every FTP server: pyftpdlib and vsftpd, in clear and over TLS."""

import ssl

import pytest

from concentrator.model.errors import TryLater
from concentrator.uplink.delivery import MOST_FILES, Delivery
from concentrator.uplink.ftp_session import Filed, FtpServer
from concentrator.uplink.ftp_wire import Habits
from tests.support.certificates import identity
from tests.support.cut import CutRoad
from tests.support.ftp_servers import FtpServerProcess, VsftpdProcess
from tests.support.ftp_uplinks import settings_of

ROW = b"2026-11-28T11:15:00+01:00,230.1,good\r\n"
CONTENT = b"time,v1 [V],quality\r\n" + ROW * 20_000
NAME = "box_meter_0_3600.csv"

PLAIN = {"pyftpdlib": (FtpServerProcess, ()), "vsftpd": (VsftpdProcess, ())}
SECURE = {
    "pyftpdlib-tls": (FtpServerProcess, ()),
    "vsftpd-tls1.2": (VsftpdProcess, ("tls12",)),
    "vsftpd-tls1.3": (VsftpdProcess, ()),
}


class Place:
    """A server, and an uplink's view of it."""

    def __init__(self, make, name, certificate, trusted):
        kind, self.always = (PLAIN | SECURE)[name]
        self.server = make(*self.always, certificate=certificate, kind=kind)
        self.habits = Habits()
        self.session = None
        self._tls = {"tls": True, "ca_file": trusted} if certificate else {}

    def again(self, *faults):
        self.server.again(*self.always, *faults)
        self.habits = Habits()

    def deliver(self, name=NAME, content=CONTENT, port=None, before_the_end=lambda: None):
        """What a delivery gives, or its trouble; the session is kept."""

        def pieces():
            yield content[: len(content) // 2]
            before_the_end()
            yield content[len(content) // 2 :]

        where = FtpServer("127.0.0.1", port or self.server.port, **settings_of(self.server, "in"), **self._tls)
        delivery = Delivery(where, self.habits, name, pieces, self.session)
        try:
            return delivery.run()
        except TryLater as why:
            return why.detail
        finally:
            self.session = delivery.session

    def leave(self):
        if self.session is not None:
            self.session.leave()
        self.session = None


@pytest.fixture
def make_place(make_ftp, tmp_path, authority):
    places = []

    def make(name):
        served = identity(tmp_path, "ftp-server", authority) if name in SECURE else None
        certificate = (served.cert_file, served.key_file) if served else None
        places.append(Place(make_ftp, name, certificate, authority.cert_file))
        return places[-1]

    yield make
    for place in places:
        place.leave()


@pytest.fixture(params=[*PLAIN, *SECURE])
def place(request, make_place):
    return make_place(request.param)


@pytest.fixture(params=list(PLAIN))
def plain(request, make_place):
    return make_place(request.param)


def test_many_files_go_over_one_connection(place):
    names = [f"box_meter_{k}_{k + 1}.csv" for k in range(5)]
    sessions = set()
    for name in names:
        assert place.deliver(name) == Filed()
        sessions.add(place.session)
    assert len(sessions) == 1
    assert place.server.files() == {f"in/{name}": CONTENT for name in names}


@pytest.mark.parametrize("name", SECURE)
def test_the_session_is_asked_for_once_a_connection_for_python_leaks_a_copy_each_time(make_place, name, monkeypatch):
    place, asked, resumed = make_place(name), [], []
    own, wrap = ssl.SSLSocket.session, ssl.SSLContext.wrap_socket

    def session(self):
        asked.append(self)
        return own.__get__(self)

    def wrapped(self, *taken, **how):
        made = wrap(self, *taken, **how)
        resumed.append((made, how.get("session") is not None))
        return made

    monkeypatch.setattr(ssl.SSLSocket, "session", property(session, own.__set__))
    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrapped)
    for k in range(3):
        assert place.deliver(f"{k}.csv", b"x") == Filed()
    assert len(asked) == 1 and [has for _, has in resumed] == [False] + [True] * (len(resumed) - 1)
    assert len(resumed) > 3


def test_a_connection_is_left_after_its_share_of_files(plain):
    kept = []
    for k in range(MOST_FILES + 1):
        assert plain.deliver(f"{k}.csv", b"x") == Filed()
        kept.append(plain.session is not None)
    assert kept == [True] * (MOST_FILES - 1) + [False, True]


def test_a_server_killed_in_the_middle_gets_the_file_whole_when_it_is_back(place):
    assert f"STOR {NAME}.part" in place.deliver(before_the_end=place.server.kill)
    assert f"in/{NAME}" not in place.server.files()
    assert place.session is None
    assert "connecting: " in place.deliver()
    place.again()
    assert place.deliver() == Filed()
    assert place.server.files() == {f"in/{NAME}": CONTENT}


def test_a_server_that_was_away_between_two_files_is_logged_in_to_again(place):
    assert place.deliver("first.csv") == Filed()
    first = place.session
    place.again()
    assert place.deliver("second.csv") == Filed()
    assert place.session is not first
    assert set(place.server.files()) == {"in/first.csv", "in/second.csv"}


def test_a_reply_lost_after_the_renaming_makes_no_second_sending(plain):
    road = CutRoad(plain.server.port, b"RNTO")
    try:
        assert f": RNTO {NAME}: " in plain.deliver(port=road.port)
    finally:
        road.close()
    assert plain.server.files() == {f"in/{NAME}": CONTENT}
    plain.again("stor")
    assert plain.deliver() == Filed(was_there=True)
    assert plain.server.files() == {f"in/{NAME}": CONTENT}


@pytest.mark.parametrize(("fault", "words"), [("login", "log-in: 530"), ("stor", "550")])
def test_a_server_that_refuses_is_quoted_and_shows_nothing_under_the_name(place, fault, words):
    place.deliver("before.csv")
    place.leave()
    place.again(fault)
    assert words in place.deliver()
    assert set(place.server.files()) == {"in/before.csv"}


def test_another_file_of_the_name_is_kept_beside_it(place):
    assert place.deliver(content=b"another") == Filed()
    assert place.deliver() == Filed(replaced=7, kept_as=f"{NAME}.1")
    assert place.deliver() == Filed(was_there=True)
    assert place.server.files() == {f"in/{NAME}": CONTENT, f"in/{NAME}.1": b"another"}


def test_a_server_without_epsv_is_asked_by_pasv_from_then_on(plain):
    plain.again("epsv")
    assert plain.deliver() == Filed()
    assert not plain.habits.epsv
    assert plain.deliver("next.csv") == Filed()


def test_a_wall_that_opens_for_pasv_only_is_passed_by_it(make_place):
    place = make_place("pyftpdlib")
    place.again("walled")
    assert place.deliver() == Filed()
    assert not place.habits.epsv


def test_a_server_with_epsv_is_asked_by_it(plain):
    assert plain.deliver() == Filed()
    assert plain.habits.epsv


def test_an_address_told_for_pasv_is_not_believed(make_place):
    place = make_place("vsftpd")
    place.again("epsv", "nat")
    assert place.deliver() == Filed()
    assert place.server.files() == {f"in/{NAME}": CONTENT}


def test_a_server_without_size_is_looked_at_by_its_listing(plain):
    plain.again("size")
    assert plain.deliver(content=b"another") == Filed()
    assert plain.habits.size is False
    assert plain.deliver() == Filed(replaced=7, kept_as=f"{NAME}.1")
    assert plain.deliver() == Filed(was_there=True)
    assert plain.server.files() == {f"in/{NAME}": CONTENT, f"in/{NAME}.1": b"another"}


def test_a_server_that_shows_nothing_is_believed_what_it_confirms(make_place):
    place = make_place("vsftpd")
    place.again("size", "list")
    assert place.deliver() == Filed()
    assert place.server.files() == {f"in/{NAME}": CONTENT}
    assert place.deliver() == Filed()
    assert place.server.files() == {f"in/{NAME}": CONTENT}
