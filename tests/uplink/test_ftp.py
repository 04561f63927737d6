"""The FTP uplink and pyftpdlib."""

import json
import socket
import tracemalloc
from threading import Event
from zoneinfo import ZoneInfo

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed

from concentrator.app.threads import LooseThreads
from concentrator.journal.file_feed import FileFeed
from concentrator.model.errors import JournalError, TryLater
from concentrator.model.record import Draft, Receipt, Tally
from concentrator.uplink.lane import Course
from concentrator.uplink.uploader import Limits, Uploader
from tests.support.brokers import SilentServer
from tests.support.certificates import identity
from tests.support.ftp_uplinks import NoThreads, ftp_uplink, outcome
from tests.support.journals import NOON, Bench
from tests.support.records import NOW, VOLTAGE, FixedWall, MemoryFeed, csv_of, file_batch, interval
from tests.support.uplinks import wait_for

MANY = tuple(evolve(VOLTAGE, name=f"v{k}") for k in range(24))


def draft(end, columns):
    tallies = tuple(Tally(3, 3 * (end + k), end + k - 1, end + k + 1, end + k) for k in range(len(columns)))
    return Draft("main", "0420020081", end, 10, columns, tallies)


class Done:
    closed_until = 2**62


def hour(first=1, count=360):
    """An hour of a device at 10 s."""
    return file_batch(*(interval(first + k, NOW - 3600 + 10 * (k + 1)) for k in range(count)))


def text_of(batch):
    return csv_of(batch, ZoneInfo("Europe/Madrid")).encode()


NAME = f"incoming/4220080001_0420020081_{NOW - 3600}_{NOW}.csv"


def test_a_batch_becomes_a_complete_file_under_its_name_and_all_of_it_is_receipted(make_ftp):
    server = make_ftp()
    uplink = ftp_uplink(server.port)
    batch = hour()
    assert outcome(uplink.send(batch)) == Receipt(frozenset(range(1, 361)))
    assert server.files() == {NAME: text_of(batch)}
    assert uplink.standing().is_up


def test_json_files_carry_who_they_are_about(make_ftp):
    server = make_ftp()
    assert outcome(ftp_uplink(server.port, form="json").send(hour(count=2))) == Receipt(frozenset({1, 2}))
    whole = json.loads(server.files()[NAME.replace(".csv", ".json")])
    assert (whole["alias"], whole["box"], len(whole["rows"])) == ("alias of main", "4220080001", 2)


def test_a_failure_keeps_the_batch_and_shows_until_it_is_over(make_ftp):
    server = make_ftp("stor")
    uplink = ftp_uplink(server.port)
    batch = hour()
    why = outcome(uplink.send(batch))
    assert isinstance(why, TryLater)
    assert (why.in_flight, why.receipt.accepted) == (frozenset(), frozenset())
    assert uplink.standing().trouble == why.detail
    assert not uplink.standing().is_up
    server.again()
    assert isinstance(outcome(uplink.send(batch)), Receipt)
    assert server.files() == {NAME: text_of(batch)}
    assert uplink.standing().trouble == ""


def test_a_reply_lost_after_the_renaming_is_receipted_without_a_second_sending(make_ftp):
    server = make_ftp("rnto")
    uplink = ftp_uplink(server.port)
    batch = hour()
    assert isinstance(outcome(uplink.send(batch)), TryLater)
    server.again("stor")
    assert outcome(uplink.send(batch)) == Receipt(frozenset(range(1, 361)))
    assert server.files() == {NAME: text_of(batch)}


def test_a_foreign_file_of_that_name_makes_room_and_is_told(make_ftp):
    server = make_ftp()
    reports = []
    uplink = ftp_uplink(server.port, reports=reports)
    (server.root / "incoming").mkdir()
    (server.root / NAME).write_text("something else")
    batch = hour()
    assert isinstance(outcome(uplink.send(batch)), Receipt)
    assert server.files() == {NAME: text_of(batch), f"{NAME}.1": b"something else"}
    facts = {"uplink": "ftp", "file": NAME[9:], "bytes_before": 14, "kept_as": f"{NAME[9:]}.1"}
    assert reports == [("uplink.file_replaced", facts)]


def test_a_period_without_records_is_a_file_too(make_ftp):
    server = make_ftp()
    assert outcome(ftp_uplink(server.port).send(file_batch())) == Receipt(frozenset())
    assert server.files()[NAME].startswith(b"time,v1 [V]")


def test_only_files_are_taken():
    with pytest.raises(TypeError, match="expected FileBatch"):
        ftp_uplink(1).send(MemoryFeed([interval(1)]).read().result)


@pytest_twisted.ensureDeferred
async def test_a_stop_wakes_a_thread_that_waits_for_a_silent_server():
    from twisted.internet import reactor

    server = SilentServer()
    try:
        # The uplink's clock stands: nothing but the thread's end lets the stop be over.
        uplink = ftp_uplink(server.port, threads=LooseThreads(reactor, "ftp"))
        sending = uplink.send(hour())
        sending.addErrback(lambda failure: failure.value)
        await wait_for(lambda: uplink._delivery.session is not None and uplink._delivery.session._wire.sock is not None)
        await uplink.stop()
        assert (await sending).detail == f"ftp://127.0.0.1:{server.port}: connecting: stopped"
    finally:
        server.close()


@pytest.mark.parametrize("tls", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_stop_wakes_a_thread_in_the_middle_of_a_file(make_ftp, tmp_path, authority, tls):
    from twisted.internet import reactor

    served = identity(tmp_path, "ftp-server", authority)
    server = make_ftp("stall", certificate=(served.cert_file, served.key_file) if tls else None)
    uplink = ftp_uplink(server.port, threads=LooseThreads(reactor, "ftp"), tls=tls, ca_file=authority.cert_file)
    sending = uplink.send(hour())
    sending.addErrback(lambda failure: failure.value)
    await wait_for(lambda: f"{NAME}.part" in server.files())
    await uplink.stop()
    assert "stopped" in (await sending).detail
    assert NAME not in server.files()


@pytest_twisted.ensureDeferred
async def test_a_stop_does_not_wait_for_a_name_that_is_being_looked_up(monkeypatch):
    from twisted.internet import reactor

    found, look_up = Event(), socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **how: found.wait() and look_up(*asked, **how))
    uplink = ftp_uplink(1, threads=LooseThreads(reactor, "ftp"))
    sending = uplink.send(hour())
    sending.addErrback(lambda failure: failure.value)
    try:
        await wait_for(lambda: uplink._delivery.is_looking_up)
        assert uplink.stop().called
    finally:
        found.set()
    assert "stopped" in (await sending).detail


def test_a_stop_does_not_wait_for_ever(clock):
    threads = NoThreads()
    threads.run = lambda job: Deferred()
    uplink = ftp_uplink(1, threads=threads, clock=clock)
    uplink.send(hour())
    stopped = []
    uplink.stop().addCallback(stopped.append)
    clock.advance(4.9)
    assert stopped == []
    clock.advance(0.2)
    assert stopped == [None]


def test_files_that_follow_each_other_go_over_one_connection_which_is_then_left(make_ftp, clock):
    server = make_ftp()
    uplink = ftp_uplink(server.port, clock=clock)
    batches = [file_batch(interval(k), start=NOW - k) for k in range(1, 4)]
    for batch in batches:
        assert isinstance(outcome(uplink.send(batch)), Receipt)
        clock.advance(4)
    assert server.visits() == 1
    clock.advance(2)
    assert outcome(uplink.send(hour())) == Receipt(frozenset(range(1, 361)))
    assert server.visits() == 2
    assert len(server.files()) == 4
    outcome(uplink.stop())


def test_a_connection_the_server_closed_meanwhile_is_no_failure(make_ftp, clock):
    server = make_ftp()
    uplink = ftp_uplink(server.port, clock=clock)
    assert isinstance(outcome(uplink.send(file_batch(interval(1), start=NOW - 1))), Receipt)
    server.again()
    assert isinstance(outcome(uplink.send(hour())), Receipt)
    assert len(server.files()) == 2
    outcome(uplink.stop())


def test_records_deleted_while_the_file_is_made_leave_no_file(make_ftp):
    server = make_ftp()
    uplink = ftp_uplink(server.port)
    batch = hour()
    why = outcome(uplink.send(evolve(batch, pick=lambda numbers: batch.pick(numbers[1:]))))
    assert "were deleted" in why.detail
    assert NAME not in server.files()
    assert "were deleted" in uplink.standing().trouble


def test_what_the_journal_says_of_records_it_cannot_give_is_passed_on(make_ftp):
    uplink = ftp_uplink(make_ftp().port)
    why = outcome(uplink.send(evolve(hour(), pick=lambda numbers: fail(JournalError("a page is torn")))))
    assert isinstance(why, JournalError)
    assert not uplink.standing().is_up


def test_a_day_of_ten_second_records_is_never_in_memory_as_a_whole(make_ftp, tmp_path):
    day = range(10, 86_410, 10)
    bench = Bench(tmp_path / "journal.db")
    journal = bench.journal()
    journal.register("ftp", {10})
    for first in range(0, len(day), 480):
        bench.append(journal, *(draft(end=NOON + end, columns=MANY) for end in day[first : first + 480]))
    around = {"period_s": 10, "latency_s": 86_400, "time_of_day_s": 0, "zone": ZoneInfo("Etc/GMT-12")}
    feed = FileFeed(journal, Done(), bench.wall, bench.clock, reader="ftp", box_serial="4220080001", **around)
    bench.wall.step(2 * 86_400)
    server = make_ftp()
    uplink = ftp_uplink(server.port)
    tracemalloc.start()
    try:
        file = bench.done(feed.read())
        content = sum(map(len, uplink._content(file)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(file.rows) == len(day)
    assert peak < content, f"{peak} bytes in memory for a file of {content}"
    assert outcome(uplink.send(file)) == Receipt(frozenset(range(1, len(day) + 1)))
    (arrived,) = server.files().values()
    assert len(arrived) == content
    outcome(uplink.stop())
    bench.end()


@pytest_twisted.ensureDeferred
async def test_every_period_is_in_exactly_one_complete_file_whatever_the_server_does(make_ftp):
    """Twelve periods, while the server refuses, dies in the middle, loses replies and comes back, by turns."""
    from twisted.internet import reactor

    server = make_ftp("login")
    periods = [
        file_batch(
            *(interval(1000 * k + n, NOW + 3600 * k - 3600 + 10 * n) for n in range(1, 361)),
            start=NOW + 3600 * (k - 1),
            stop=NOW + 3600 * k,
        )
        for k in range(12)
    ]

    class Files(MemoryFeed):
        def read(self):
            return succeed(self.records[0] if self.records else None)

        def settle(self, batch, receipt):
            assert receipt.accepted == set(batch.numbers)
            self.records.remove(batch)
            self.settled.append((batch, receipt))
            return succeed(None)

    feed = Files(list(periods))
    troubles = []

    def noted(failure):
        troubles.append(failure.value.detail)
        return failure

    uplink = ftp_uplink(server.port, threads=LooseThreads(reactor, "ftp"), clock=reactor)
    send, uplink.send = uplink.send, lambda batch: send(batch).addErrback(noted)
    limits = Limits(first_pause_s=0.05, longest_pause_s=0.1)
    uploader = Uploader([Course(feed)], uplink, reactor, FixedWall(), lambda *_: None, lambda: 0.0, limits)
    uploader.start()
    for fault in ("stor", "die=5000", "rnto", "die=1", "rnto", "short=100", None):
        before = len(troubles)
        await wait_for(lambda before=before: len(troubles) > before)
        complete = {name: content for name, content in server.files().items() if not name.endswith(".part")}
        assert all(content.count(b"\r\n") == 361 for content in complete.values())
        server.again(*filter(None, [fault]))
    await wait_for(lambda: not feed.records)
    await uploader.stop()
    assert [batch.stem for batch, _ in feed.settled] == [batch.stem for batch in periods]
    assert server.files() == {f"incoming/{batch.stem}.csv": text_of(batch) for batch in periods}
    seen = " ".join(troubles)
    assert all(word in seen for word in ("log-in: 530", "STOR", "550", "RNTO", "bytes arrived"))
    print(f"\n{len(troubles)} failures, 12 files: {sorted(set(why.split(': ', 1)[1][:40] for why in troubles))}")
