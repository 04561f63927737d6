import pytest

from concentrator.journal import happenings as module
from concentrator.journal.happenings import happenings
from concentrator.model.record import EVENT_PERIOD, Draft
from tests.support.journals import NOON, interval, result


@pytest.fixture
def journal(both):
    return both.journal()


def happen(both, journal, name, at, uid="main", **facts):
    both.append(journal, Draft(uid, f"S-{uid}", at, EVENT_PERIOD, event={"event": name, **facts}))


def page(journal, limit=10, since=0, before=(NOON + 10**6, 2**62), fits=lambda happened: True):
    return result(journal.query(lambda tables: happenings(tables, since, before, fits, limit)))


def names(found):
    return [each.name for each in found]


def test_the_newest_come_first_with_their_facts_and_nothing_but_events(both, journal):
    happen(both, journal, "device.lost", NOON + 5, device="main", text="gone")
    both.append(journal, interval(end=NOON + 7))
    happen(both, journal, "device.found", NOON + 9, device="main")
    found, following = page(journal)
    assert [(each.name, each.at, each.facts) for each in found] == [
        ("device.found", NOON + 9, {"device": "main"}),
        ("device.lost", NOON + 5, {"device": "main", "text": "gone"}),
    ]
    assert following is None


def test_pages_follow_each_other_even_within_one_second(both, journal):
    for i in range(7):
        happen(both, journal, f"n{i}", NOON + i // 4)
    seen, place = [], (NOON + 10, 2**62)
    while place is not None:
        found, place = page(journal, limit=2, before=place)
        seen += names(found)
    assert seen == ["n6", "n5", "n4", "n3", "n2", "n1", "n0"]


def test_what_does_not_fit_is_passed_over_and_what_is_older_left_out(both, journal):
    for i in range(6):
        happen(both, journal, "odd" if i % 2 else "even", NOON + i)
    found, _ = page(journal, since=NOON + 1, fits=lambda happened: happened.name == "odd")
    assert [each.at for each in found] == [NOON + 5, NOON + 3]


def test_a_rare_one_is_looked_for_a_part_at_a_time(both, journal, monkeypatch):
    monkeypatch.setattr(module, "LOOKED_AT_MOST", 3)
    for i in range(8):
        happen(both, journal, "rare" if i == 0 else "common", NOON + i)

    def is_rare(happened):
        return happened.name == "rare"

    found, place = page(journal, fits=is_rare)
    assert (found, place[0]) == ([], NOON + 5)
    found, place = page(journal, before=place, fits=is_rare)
    found, place = page(journal, before=place, fits=is_rare)
    assert (names(found), place) == (["rare"], None)
