"""concentrator.app.services: what the box itself says of its store, its clock and its first run."""

from types import SimpleNamespace

import pytest
from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.tasks import Tasks
from concentrator.app.config import load
from concentrator.app.config_file import ConfigFile
from concentrator.app.services import Services, service_actions
from tests.support.records import FixedWall

results = SynchronousTestCase()
OWNER = Caller("owner", frozenset(Permission))
TEXT = '[box]\nstate_dir = "."\ntimezone = "Atlantic/Canary"\n[journal]\nmax_size = "1 GiB"\n'
ENDS = {60: None, 300: 1_795_000_000}


class Tables:
    def next_end(self, period, after):
        assert after == 0
        return ENDS[period]


def table_of(folder, synchronised=lambda: True, ends=Tables):
    path = folder / "ccmaster.toml"
    path.write_text(TEXT)
    config = load(path)
    journal = SimpleNamespace(used=4096, query=lambda ask: succeed(ask(ends())))
    past = SimpleNamespace(journal=journal, config=config)
    settings = SimpleNamespace(is_secret=lambda section, key: False)
    services = Services(ConfigFile(path), settings, lambda: config, past, "4220080001", folder, None, synchronised)
    table = ActionTable(lambda entry: None)
    for action in service_actions(services, Tasks(FixedWall()), lambda: [], FixedWall()):
        table.register(action)
    return table


@pytest.fixture
def ask(tmp_path):
    table = table_of(tmp_path)
    return lambda name, **arguments: results.successResultOf(table.call(name, arguments, OWNER))


def test_the_store_says_what_it_takes_and_how_far_back_it_goes(ask):
    told = ask("journal.status")
    assert told.pop("free_bytes") > 0
    assert told == {"used_bytes": 4096, "limit_bytes": 2**30, "oldest": "2026-11-18T11:06:40Z"}


def test_a_store_without_a_record_has_no_oldest(tmp_path):
    table = table_of(tmp_path, ends=lambda: SimpleNamespace(next_end=lambda period, after: None))
    assert results.successResultOf(table.call("journal.status", {}, OWNER))["oldest"] is None


def test_the_clock_says_whether_something_keeps_it_right_as_far_as_the_machine_knows(tmp_path, ask):
    told = ask("clock.status")
    assert (told["trusted"], told["synchronised"], told["zone"]) == (True, True, "Atlantic/Canary")

    def no_such_call():
        raise AttributeError("adjtimex")

    for synchronised, said in ((lambda: False, False), (no_such_call, None)):
        table = table_of(tmp_path, synchronised)
        assert results.successResultOf(table.call("clock.status", {}, OWNER))["synchronised"] is said


def test_the_first_run_is_remembered(ask):
    assert ask("commissioning.get") == {"steps": {}}
    assert ask("commissioning.note", step="2", state="done") == {"steps": {"2": "done"}}
    assert ask("commissioning.note", step="4", state="skipped")["steps"] == {"2": "done", "4": "skipped"}
    assert ask("commissioning.get") == {"steps": {"2": "done", "4": "skipped"}}


def test_everything_registered_can_be_asked(tmp_path):
    names = {each["name"] for each in table_of(tmp_path).describe()}
    assert names == {
        "mqtt.test",
        "ftp.test",
        "certificate.put",
        "journal.status",
        "clock.status",
        "commissioning.get",
        "commissioning.note",
    }
