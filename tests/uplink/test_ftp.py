"""The FTP uplink and pyftpdlib."""

import json

import pytest
import pytest_twisted

from concentrator.journal.export import csv_text
from concentrator.model.errors import TryLater
from concentrator.model.record import Receipt
from concentrator.uplink.uploader import Limits, Uploader
from tests.support.brokers import SilentServer
from tests.support.certificates import identity
from tests.support.ftp_uplinks import ftp_uplink, outcome
from tests.support.records import COLUMNS, NOW, FixedWall, MemoryFeed, file_batch, interval
from tests.support.uplinks import wait_for


def hour(first=1, count=360):
    """An hour of a device at 10 s."""
    return file_batch(*(interval(first + k, NOW - 3600 + 10 * (k + 1)) for k in range(count)))


def text_of(batch, uplink):
    return csv_text(batch.records, COLUMNS, uplink._zone, batch.start).encode()


NAME = f"incoming/4220080001_0420020081_{NOW - 3600}_{NOW}.csv"


def test_a_batch_becomes_a_complete_file_under_its_name_and_all_of_it_is_receipted(make_ftp):
    server = make_ftp()
    uplink = ftp_uplink(server.port)
    batch = hour()
    assert outcome(uplink.send(batch)) == Receipt(frozenset(range(1, 361)))
    assert server.files() == {NAME: text_of(batch, uplink)}
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
    assert server.files() == {NAME: text_of(batch, uplink)}
    assert uplink.standing().trouble == ""


def test_a_reply_lost_after_the_renaming_is_receipted_without_a_second_sending(make_ftp):
    server = make_ftp("rnto")
    uplink = ftp_uplink(server.port)
    batch = hour()
    assert isinstance(outcome(uplink.send(batch)), TryLater)
    server.again("stor")
    assert outcome(uplink.send(batch)) == Receipt(frozenset(range(1, 361)))
    assert server.files() == {NAME: text_of(batch, uplink)}


def test_a_foreign_file_of_that_name_makes_room_and_is_told(make_ftp):
    server = make_ftp()
    reports = []
    uplink = ftp_uplink(server.port, reports=reports)
    (server.root / "incoming").mkdir()
    (server.root / NAME).write_text("something else")
    batch = hour()
    assert isinstance(outcome(uplink.send(batch)), Receipt)
    assert server.files() == {NAME: text_of(batch, uplink)}
    assert reports == [("uplink.file_replaced", {"uplink": "ftp", "file": NAME[9:], "bytes_before": 14})]


def test_a_period_without_records_is_a_file_too(make_ftp):
    server = make_ftp()
    assert outcome(ftp_uplink(server.port).send(file_batch())) == Receipt(frozenset())
    assert server.files()[NAME].startswith(b"time,v1 [V]")


def test_only_files_are_taken():
    with pytest.raises(TypeError, match="expected FileBatch"):
        ftp_uplink(1).send(MemoryFeed([interval(1)]).read().result)


class Threads:
    """A pool of threads on the real reactor."""

    def __enter__(self):
        from twisted.python.threadpool import ThreadPool

        self.pool = ThreadPool(0, 2, "ftp")
        self.pool.start()
        return self

    def __exit__(self, *_):
        self.pool.stop()

    def run(self, work):
        from twisted.internet import reactor
        from twisted.internet.threads import deferToThreadPool

        return deferToThreadPool(reactor, self.pool, work)


@pytest_twisted.ensureDeferred
async def test_a_stop_wakes_a_thread_that_waits_for_a_silent_server():
    from twisted.internet import reactor

    server = SilentServer()
    try:
        with Threads() as threads:
            uplink = ftp_uplink(server.port, run_in_thread=threads.run, clock=reactor)
            sending = uplink.send(hour())
            sending.addErrback(lambda failure: failure.value)
            await wait_for(lambda: uplink._delivery._ftp.sock is not None)
            begun = reactor.seconds()
            await uplink.stop()
            assert reactor.seconds() - begun < 1
            why = await sending
            assert why.detail == f"ftp://127.0.0.1:{server.port}: connecting: stopped"
    finally:
        server.close()


@pytest.mark.parametrize("tls", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_stop_wakes_a_thread_in_the_middle_of_a_file(make_ftp, tmp_path, authority, tls):
    from twisted.internet import reactor

    served = identity(tmp_path, "ftp-server", authority)
    server = make_ftp("stall", certificate=(served.cert_file, served.key_file) if tls else None)
    with Threads() as threads:
        uplink = ftp_uplink(server.port, run_in_thread=threads.run, clock=reactor, tls=tls, ca_file=authority.cert_file)
        sending = uplink.send(hour())
        sending.addErrback(lambda failure: failure.value)
        await wait_for(lambda: f"{NAME}.part" in server.files())
        begun = reactor.seconds()
        await uplink.stop()
        assert reactor.seconds() - begun < 4
        assert "stopped" in (await sending).detail
    assert NAME not in server.files()


def test_a_stop_does_not_wait_for_ever():
    from twisted.internet.defer import Deferred
    from twisted.internet.task import Clock

    clock = Clock()
    uplink = ftp_uplink(1, run_in_thread=lambda work: Deferred(), clock=clock)
    uplink.send(hour())
    stopped = []
    uplink.stop().addCallback(stopped.append)
    clock.advance(4.9)
    assert stopped == []
    clock.advance(0.2)
    assert stopped == [None]
    assert not clock.getDelayedCalls()


@pytest_twisted.ensureDeferred
async def test_every_period_is_in_exactly_one_complete_file_whatever_the_server_does(make_ftp):
    """Twelve periods, while the server refuses, dies in the middle, loses replies and comes back, by turns."""
    from twisted.internet import reactor
    from twisted.internet.defer import succeed

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
            assert receipt.accepted == {record.n for record in batch.records}
            self.records.remove(batch)
            self.settled.append((batch, receipt))
            return succeed(None)

    feed = Files(list(periods))
    troubles = []

    def noted(failure):
        troubles.append(failure.value.detail)
        return failure

    with Threads() as threads:
        uplink = ftp_uplink(server.port, run_in_thread=threads.run, clock=reactor)
        send, uplink.send = uplink.send, lambda batch: send(batch).addErrback(noted)
        limits = Limits(first_pause_s=0.05, longest_pause_s=0.1)
        uploader = Uploader(feed, uplink, reactor, FixedWall(), lambda *_: None, lambda: 0.0, limits)
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
    assert server.files() == {f"incoming/{batch.stem}.csv": text_of(batch, uplink) for batch in periods}
    seen = " ".join(troubles)
    assert all(word in seen for word in ("log-in: 530", "STOR", "550", "RNTO", "bytes arrived"))
    print(f"\n{len(troubles)} failures, 12 files: {sorted(set(why.split(': ', 1)[1][:40] for why in troubles))}")
