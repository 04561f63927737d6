import csv
import json
import tracemalloc
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve

from concentrator.journal.export import CsvForm, json_file
from concentrator.journal.extract import Extract, Wanted
from concentrator.journal.outline import Outline
from concentrator.journal.tables import Tables
from concentrator.model.errors import Unknown
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from tests.support.homes import DAY, MIDNIGHT, Home
from tests.support.journals import COLUMNS, NOON, interval

MADRID = ZoneInfo("Europe/Madrid")
HOUR = range(NOON + 10, NOON + 3610, 10)
EXTRA = Quantity("t", "°C", Kind.INSTANTANEOUS, "temperature", 1)


@pytest.fixture
def journal(bench):
    return bench.journal()


def extract_of(bench, journal, **wanted):
    """The text, and what it came from."""
    wanted = Wanted(**{"start": NOON, "stop": NOON + 3600, "period_s": 10, **wanted})
    extract = Extract(wanted, MADRID, "4220080001", lambda uid: f"alias of {uid}")
    pieces = [bench.done(journal.query(job), 0) for job in extract.jobs()]
    return "".join(pieces), extract, pieces


def rows_of(text):
    return list(csv.reader(StringIO(text)))


def test_one_device_looks_as_in_a_file_that_is_sent(bench, journal):
    records = bench.append(journal, *(interval(end=end, watts=end % 997 / 10) for end in HOUR))
    outline = Outline()
    for record in records:
        outline.put(record)
    text, extract, _ = extract_of(bench, journal, devices=["main"])
    form = CsvForm(outline.columns, MADRID, NOON)
    assert text == form.head() + form.rows(records)
    assert (extract.rows, extract.share) == (360, 1.0)
    text, _, _ = extract_of(bench, journal, devices=["main"], form="json")
    who = {"box": "4220080001", "serial": "S-main", "alias": "alias of main", "start": NOON, "stop": NOON + 3600}
    form = json_file(outline.columns, MADRID, **who, period=10)
    assert text == form.head() + form.rows(records) + form.tail()


def test_several_devices_are_told_apart_by_a_column(bench, journal):
    for end in (NOON + 10, NOON + 20):
        bench.append(journal, interval("b", end), interval("a", end, columns=COLUMNS[:1]))
    text, _, _ = extract_of(bench, journal)
    header, *rows = rows_of(text)
    assert header == ["time", "device", "p [W]", "ea_imp [kWh]", "state", "quality"]
    assert [row[1] for row in rows] == ["a", "a", "b", "b"]
    assert [row[3] for row in rows] == ["", "", "123.45", "123.45"]


def test_several_devices_are_one_section_each_in_json(bench, journal):
    bench.append(journal, interval("b", NOON + 10), interval("a", NOON + 10, columns=COLUMNS[:1]))
    whole = json.loads(extract_of(bench, journal, form="json")[0])
    assert {name: whole[name] for name in ("v", "box", "period")} == {"v": 1, "box": "4220080001", "period": 10}
    assert (whole["start"], whole["end"]) == ("2026-11-18T13:00:00+01:00", "2026-11-18T14:00:00+01:00")
    assert [(each["device"], each["serial"], each["alias"]) for each in whole["devices"]] == [
        ("a", "S-a", "alias of a"),
        ("b", "S-b", "alias of b"),
    ]
    assert [[column["name"] for column in each["variables"]] for each in whole["devices"]] == [
        ["p"],
        ["p", "ea_imp", "state"],
    ]
    assert [len(each["rows"]) for each in whole["devices"]] == [1, 1]


def test_variables_are_those_asked_for_in_that_order(bench, journal):
    bench.append(journal, interval(end=NOON + 10))
    text, _, _ = extract_of(bench, journal, devices=["main"], variables=["ea_imp", "p"])
    assert rows_of(text)[0] == ["time", "ea_imp [kWh]", "p [W]", "quality"]
    whole = json.loads(extract_of(bench, journal, devices=["main"], variables=["ea_imp"], form="json")[0])
    assert whole["rows"][0]["values"] == {"ea_imp": 123.45}


def test_columns_that_came_and_went_are_all_there_the_newest_first(bench, journal):
    old = interval(end=NOON + 10, columns=(evolve(EXTRA, name="old"), COLUMNS[1]))
    bench.append(journal, old, interval(end=NOON + 3000, columns=(COLUMNS[0], COLUMNS[1])))
    text, _, _ = extract_of(bench, journal, devices=["main"])
    assert rows_of(text)[0][1:-1] == ["p [W]", "ea_imp [kWh]", "old [°C]"]


def test_of_several_records_for_an_interval_the_best_counts(bench, journal):
    end = NOON + 10
    bench.append(journal, interval(end=end, watts=1), interval(end=end, watts=2))
    bench.append(journal, interval(end=end, watts=3, quality=Quality.PARTIAL))
    assert [row[1] for row in rows_of(extract_of(bench, journal, devices=["main"])[0])[1:]] == ["2"]


def test_a_device_can_be_named_by_its_serial_and_one_that_was_replaced_by_its_id(bench, journal):
    bench.append(journal, interval(end=NOON + 10, serial="OLD"), interval(end=NOON + 20, serial="NEW"))
    assert len(rows_of(extract_of(bench, journal, devices=["OLD"])[0])) == 2
    whole = json.loads(extract_of(bench, journal, devices=["main"], form="json")[0])
    assert (whole["serial"], len(whole["rows"])) == ("NEW", 2)


def test_the_range_takes_its_end_and_not_its_start(bench, journal):
    bench.append(journal, *(interval(end=end) for end in (NOON, NOON + 10, NOON + 3600, NOON + 3610)))
    times = [row[0] for row in rows_of(extract_of(bench, journal, devices=["main"])[0])[1:]]
    assert times == ["2026-11-18T13:00:10+01:00", "2026-11-18T14:00:00+01:00"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"devices": ["mian"]}, r"records of device mian \(did you mean main\?\)"),
        ({"variables": ["ea_exp"]}, r"variable ea_exp \(did you mean ea_imp\?\)"),
    ],
)
def test_what_there_is_none_of_is_said_before_anything_else(bench, journal, wanted, words):
    bench.append(journal, interval(end=NOON + 10))
    wanted = Wanted(**{"start": NOON, "stop": NOON + 3600, "period_s": 10, **wanted})
    said = []
    with pytest.raises(Unknown, match=words):
        for job in Extract(wanted, MADRID, "", str).jobs():
            said.append(bench.done(journal.query(job), 0))
    assert not any(said)


def test_a_range_without_records_is_a_head(bench, journal):
    assert extract_of(bench, journal)[0] == "time,device,quality\r\n"
    assert json.loads(extract_of(bench, journal, form="json")[0])["devices"] == []


def test_years_without_records_are_passed_over(bench, journal):
    year = 365 * 86_400
    bench.append(journal, interval(end=NOON + 10), interval(end=NOON + 10 + 10 * year))
    text, _, pieces = extract_of(bench, journal, devices=["main"], stop=NOON + 20 * year)
    assert len(rows_of(text)) == 3
    assert len(pieces) < 20


def test_a_longer_range_takes_no_more_memory(bench, journal):
    many = tuple(evolve(EXTRA, name=f"t{k}") for k in range(12))
    tally = interval().tallies[0]
    for day in range(4):
        first = NOON + 86_400 * day
        drafts = [
            evolve(interval(end=first + 300 * k), period=300, columns=many, tallies=(tally,) * 12)
            for k in range(1, 289)
        ]
        bench.append(journal, *drafts)

    def peak_of(days):
        wanted = Wanted(NOON, NOON + 86_400 * days, 300)
        tracemalloc.start()
        try:
            total = 0
            for job in Extract(wanted, MADRID, "", str).jobs():
                total += len(journal._tables.query(job))
            return tracemalloc.get_traced_memory()[1], total
        finally:
            tracemalloc.stop()

    peak_of(1)  # what is remembered for good
    (short, less), (long, more) = peak_of(1), peak_of(4)
    assert more > 3 * less
    assert long < 1.3 * short


def test_no_job_looks_at_more_than_a_little(bench, journal, monkeypatch):
    bench.append(journal, *(interval(end=end) for end in HOUR))
    looked, select = [], Tables.select

    def counted(tables, device, period, start, stop):
        found = select(tables, device, period, start, stop)
        looked.append(len(found))
        return found

    monkeypatch.setattr(Tables, "select", counted)
    extract_of(bench, journal, devices=["main"])
    assert sum(looked) == 360
    assert max(looked) <= 100


def test_jobs_may_be_far_apart_and_records_come_meanwhile(bench, journal):
    bench.append(journal, *(interval(end=end) for end in HOUR))
    extract = Extract(Wanted(NOON, NOON + 3600, 10, ["main"]), MADRID, "", str)
    text = ""
    for job in extract.jobs():
        text += bench.done(journal.query(job), 0)
        bench.append(journal, interval(end=NOON + 4000), interval("other", NOON + 100))
    assert len(rows_of(text)) == 361


def test_records_in_blocks_are_told_as_they_were_in_rows(bench):
    home = Home(bench)
    home.fill(1600, start=MIDNIGHT, devices=("main", "other"))
    wanted = {"start": MIDNIGHT, "stop": MIDNIGHT + DAY + 6 * 3600, "period_s": 60}
    before = [extract_of(bench, home.journal, **wanted, form=form)[0] for form in ("csv", "json")]
    home.until(MIDNIGHT + 2 * DAY)
    home.rest(900)
    rows, _, tight = home.shape()
    assert (rows, len(tight)) != (3200, 0), "nothing was sealed"
    assert [extract_of(bench, home.journal, **wanted, form=form)[0] for form in ("csv", "json")] == before
    home.compaction.stop()
