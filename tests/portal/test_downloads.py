import json

import pytest
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, fail

from concentrator.actions.table import Caller
from concentrator.journal.extract import Extract, Wanted
from concentrator.model.errors import JournalError
from concentrator.portal.doors import build_control_site
from concentrator.portal.downloads import Downloads, History
from concentrator.portal.rest import Rest
from concentrator.web.site import Folder, GuardedSite
from tests.support.journals import NOON, Bench, interval
from tests.support.web import MADRID, FakeBox, StillWall, Visit, visit

DAY = "from=2026-11-18&to=2026-11-18"
SOCKET = UNIXAddress(None)


@pytest.fixture
def journal():
    bench = Bench()
    journal = bench.journal()
    for uid in ("main", "roof"):
        bench.append(journal, *(interval(uid, NOON + 300 * k, 300) for k in range(1, 13)))
    yield journal
    bench.end()


def site_of(query, clock):
    wall = StillWall(NOON + 7200)
    history = History(query, lambda: 300, "4220080001", lambda uid: f"alias of {uid}", MADRID, wall, clock)
    return build_control_site(FakeBox().table, clock=clock, downloads=Downloads(history))


@pytest.fixture
def site(journal, clock):
    return site_of(journal.query, clock)


def get(site, question="", method="GET"):
    return visit(site, f"/api/history?{question}", peer=SOCKET, method=method)


def body_of(answer):
    """A body that was sent in chunks, whole."""
    body, rest = b"", answer.body
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if not int(size, 16):
            assert rest == b"\r\n"
            return body.decode()
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]


def extract_of(journal, **wanted):
    """The same extract, made at once."""
    start, stop = NOON - 13 * 3600, NOON + 11 * 3600  # the day in Madrid
    jobs = Extract(Wanted(start, stop, 300, **wanted), MADRID, "4220080001", lambda uid: f"alias of {uid}").jobs()
    return "".join(journal._tables.query(job) for job in jobs)


def test_a_day_of_history_comes_as_csv(site, journal):
    answer = get(site, DAY)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="4220080001_20261117T230000Z_20261118T230000Z.csv"'
    )
    assert body_of(answer) == extract_of(journal)
    assert body_of(answer).count("\r\n") == 25


def test_one_device_and_some_variables_come_as_json(site, journal):
    answer = get(site, f"{DAY}&device=main&variable=p&variable=ea_imp&format=json")
    assert answer.headers["content-type"] == "application/json"
    assert body_of(answer) == extract_of(journal, devices=["main"], variables=["p", "ea_imp"], form="json")
    assert json.loads(body_of(answer))["alias"] == "alias of main"


def test_what_is_not_said_is_today_up_to_now_in_records_of_history(site):
    assert body_of(get(site)).count("\r\n") == 25


def test_records_of_another_length_and_a_time_with_offset_can_be_asked_for(site):
    assert body_of(get(site, "period=10+min")) == "time,device,quality\r\n"
    assert body_of(get(site, "from=2026-11-18T12:30:00Z&device=main")).count("\r\n") == 7


@pytest.mark.parametrize(
    ("question", "status", "words"),
    [
        ("device=mian", 404, "records of device mian (did you mean main?)"),
        ("variable=ea_exp", 404, "variable ea_exp (did you mean ea_imp?)"),
        ("devices=main", 400, "devices: there is no such argument (did you mean device?)"),
        ("from=soon", 400, 'from: found "soon", expected a day such as'),
        ("from=2026-11-19", 400, "from: expected a moment before to"),
        ("period=0", 400, 'period: found "0", expected whole seconds'),
        ("period=often", 400, 'period: found "often"'),
        ("format=xml", 400, 'format: found "xml", expected csv or json'),
        ("device=%FF", 404, "records of device"),
    ],
)
def test_what_cannot_be_is_an_error_before_anything_is_sent(site, question, status, words):
    answer = get(site, question)
    assert answer.status == status
    text = answer.text if "content-length" in answer.headers else body_of(answer)
    assert words in json.loads(text)["error"]["message"]


def test_it_can_only_be_read(site):
    assert get(site, method="POST").status == 405
    head = get(site, DAY, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"].startswith("text/csv")


def test_whoever_may_not_read_gets_nothing(journal, clock):
    history = History(journal.query, lambda: 300, "", str, MADRID, StillWall(NOON), clock)
    root = Folder()
    root.putChild(b"api", Rest(FakeBox().table, lambda request: Caller("nobody", frozenset()), Downloads(history)))
    assert get(GuardedSite(root, clock)).status == 403


class Slow:
    """A journal that does a job when it is told to."""

    def __init__(self, journal):
        self.journal = journal
        self.waiting = []

    def query(self, job):
        self.waiting.append((job, Deferred()))
        return self.waiting[-1][1]

    def work(self):
        """Does the job that waits."""
        job, done = self.waiting.pop()
        self.journal.query(job).chainDeferred(done)


def ask(site, question=DAY):
    visitor = Visit(site, SOCKET)
    visitor.ask(f"/api/history?{question}")
    return visitor


def test_only_some_are_made_at_a_time(journal, clock):
    slow = Slow(journal)
    site = site_of(slow.query, clock)
    first, second = ask(site), ask(site)
    refused = get(site, DAY)
    assert (refused.status, refused.headers["retry-after"]) == (429, "10")
    assert refused.json["error"]["code"] == "too_often"
    first.end()
    slow.waiting.pop(0)[1].callback("")
    third = ask(site)
    assert len(slow.waiting) == 2
    for visitor in (second, third):
        visitor.end()
    while slow.waiting:
        slow.work()


def test_nothing_is_made_for_who_is_behind_or_gone(journal, clock):
    slow = Slow(journal)
    visitor = ask(site_of(slow.query, clock))
    while b"200 OK" not in visitor.transport.value():
        slow.work()
    visitor.transport.producer.pauseProducing()
    slow.work()
    assert slow.waiting == []
    visitor.transport.producer.resumeProducing()
    assert len(slow.waiting) == 1
    visitor.end()
    slow.work()
    assert slow.waiting == []


def test_the_box_has_as_long_for_itself_as_each_piece_took(journal, clock):
    slow = Slow(journal)
    visitor = ask(site_of(slow.query, clock))
    clock.advance(0.02)
    slow.work()
    clock.advance(0.019)
    assert slow.waiting == []
    clock.advance(0.002)
    assert len(slow.waiting) == 1
    visitor.end()
    slow.work()


def test_one_that_breaks_off_does_not_look_whole(journal, clock):
    slow = Slow(journal)
    visitor = ask(site_of(slow.query, clock))
    while b"200 OK" not in visitor.transport.value():
        slow.work()
    slow.waiting.pop()[1].errback(JournalError("a page is torn"))
    assert visitor.transport.disconnecting or visitor.transport.disconnected
    assert not visitor.transport.value().endswith(b"0\r\n\r\n")
    visitor.end()


def test_a_journal_that_gives_nothing_is_an_error(clock):
    answer = get(site_of(lambda job: fail(JournalError("the disk is gone")), clock))
    assert answer.status == 500
    assert "the disk is gone" in answer.text
