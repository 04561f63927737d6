import csv
import json

import pytest

from concentrator.app.records import as_csv, as_json, as_text, records
from concentrator.model.errors import JournalError
from tests.support.journals import Bench
from tests.support.journals import event as event_draft
from tests.support.journals import interval as interval_draft
from tests.support.records import event, interval


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path / "journal.db")
    yield bench
    bench.end()


def test_a_journal_is_read_beside_who_writes_it(bench, tmp_path):
    journal = bench.journal()
    written = bench.append(journal, *(interval_draft(end=1_795_003_200 + 10 * n) for n in range(2500)))
    assert tuple(records(tmp_path)) == written
    more = bench.append(journal, interval_draft("two"))
    assert tuple(records(tmp_path / "journal.db"))[-1:] == more


def test_a_journal_at_rest_is_left_as_it_is(bench, tmp_path):
    journal = bench.journal()
    written = bench.append(journal, interval_draft(), event_draft())
    bench.close(journal)
    before = (tmp_path / "journal.db").read_bytes()
    assert tuple(records(tmp_path)) == written
    assert (tmp_path / "journal.db").read_bytes() == before


def test_one_period_and_one_device_can_be_asked_for(bench, tmp_path):
    drafts = [interval_draft(uid, period=period) for uid in ("main", "two") for period in (10, 300)]
    written = bench.append(bench.journal(), *drafts, event_draft())
    assert tuple(records(tmp_path, 10)) == (written[0], written[2])
    assert tuple(records(tmp_path, 0)) == (written[4],)
    assert tuple(records(tmp_path, 300, "two")) == tuple(records(tmp_path, 300, "S-two")) == (written[3],)


def test_what_is_no_journal_is_said_so(tmp_path):
    with pytest.raises(JournalError, match="there is no such file"):
        list(records(tmp_path))
    (tmp_path / "journal.db").write_text("nothing of the kind, and long enough to be looked at " * 100)
    with pytest.raises(JournalError):
        list(records(tmp_path))


def test_text_is_a_line_a_record():
    assert list(as_text([interval(5), event(6, text="no answer")])) == [
        "k3f9/5  2026-11-28T10:15:00Z    10 s  main  good  v1=230.5 p=5 ea_imp=5.07",
        "k3f9/6  2026-11-28T10:15:00Z   event  main  good  name=device_lost text=no answer",
    ]


def test_json_is_an_object_a_record():
    first, second = map(json.loads, as_json([interval(5), event(6)]))
    assert first == {
        "j": "k3f9",
        "n": 5,
        "device": "main",
        "serial": "0420020081",
        "ts": "2026-11-28T10:15:00Z",
        "period": 10,
        "values": {"v1": 230.5, "p": 5, "ea_imp": 5.07},
        "quality": "good",
    }
    assert (second["period"], second["event"], "values" in second) == (0, {"name": "device_lost"}, False)


def test_csv_is_a_line_a_value():
    head, *rows = csv.reader(as_csv([interval(5), event(6)]))
    assert head == ["journal", "n", "time", "period", "device", "serial", "quality", "variable", "unit", "value"]
    where = ["k3f9", "5", "2026-11-28T10:15:00Z", "10", "main", "0420020081", "good"]
    assert rows[:3] == [[*where, "v1", "V", "230.5"], [*where, "p", "W", "5"], [*where, "ea_imp", "kWh", "5.07"]]
    assert rows[3][7:] == ["event", "", '{"name": "device_lost"}']


def test_a_folder_that_cannot_be_written_to_is_no_hindrance(bench, tmp_path, monkeypatch):
    written = bench.append(bench.journal(), interval_draft())
    bench.close(bench.opened[0])
    monkeypatch.setattr("os.access", lambda *_: False)
    assert tuple(records(tmp_path)) == written
    assert not (tmp_path / "journal.db-wal").exists()
