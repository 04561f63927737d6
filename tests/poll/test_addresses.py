"""concentrator.poll.addresses: which ID a meter may be given, and that no order of events gives one to two."""

from itertools import islice

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from concentrator.model.errors import Busy
from concentrator.poll.addresses import LAST, Addresses, State

A, B, C = "0420020081", "0220060041", "0119060072"


def journal(**kept) -> Addresses:
    """A journal whose changes are kept nowhere: serial → its entry."""
    return Addresses.from_json(kept, lambda whole: None)


def entry(unit: int, state: str = "done", **more) -> dict:
    return {"unit": unit, "state": state, "nonce": 7, **more}


@pytest.mark.parametrize(
    ("kept", "taken", "choices"),
    [
        ({}, {}, [2, 3, 4]),
        ({B: entry(2)}, {}, [3, 4, 5]),
        ({B: entry(2, "pending")}, {}, [3, 4, 5]),
        ({B: entry(2, "failed")}, {}, [2, 3, 4]),
        ({B: entry(3, "pending", former=2)}, {}, [4, 5, 6]),
        ({}, {1: B, 2: "", 4: C}, [3, 5, 6]),
        ({A: entry(9)}, {}, [9, 2, 3]),
        ({A: entry(9, "pending", former=5)}, {}, [9, 5, 2]),
        ({A: entry(9, "failed")}, {}, [2, 3, 4]),
        ({A: entry(9)}, {9: B}, [2, 3, 4]),
        ({A: entry(9)}, {9: ""}, [2, 3, 4]),
        ({}, {7: A}, [7, 2, 3]),
        ({B: entry(7)}, {7: A}, [2, 3, 4]),
        ({}, {1: A}, [1, 2, 3]),
        ({}, {1: ""}, [2, 3, 4]),
    ],
)
def test_a_meter_gets_the_id_it_had_or_the_lowest_free_one(kept, taken, choices):
    assert list(islice(journal(**kept).choices(A, taken), 3)) == choices


def test_the_last_id_is_246():
    assert list(journal().choices(A, {}))[-1] == LAST == 246


@pytest.mark.parametrize(
    ("kept", "taken", "is_full"),
    [
        ({}, {}, False),
        ({B: entry(2)}, {1: C}, False),
        ({B: entry(2)}, {3: ""}, True),
        ({B: entry(2), C: entry(3, "pending")}, {}, True),
        ({B: entry(2), C: entry(3, "failed")}, {}, False),
        ({B: entry(2), A: entry(3)}, {}, False),
        ({B: entry(2), C: entry(3)}, {4: A}, False),
        ({B: entry(2), A: entry(3, "failed"), C: entry(4)}, {}, True),
    ],
)
def test_a_bus_is_full_for_strangers_only_and_not_because_of_id_1(kept, taken, is_full):
    assert journal(**kept).is_full(A, taken, limit=2) is is_full


def test_an_id_belongs_to_one_meter_from_the_reservation_on():
    kept = []
    addresses = Addresses.from_json({}, kept.append)
    addresses.reserve(A, 2, 4711)
    assert kept == [{A: {"unit": 2, "state": "pending", "nonce": 4711}}]
    with pytest.raises(Busy, match=A):
        addresses.reserve(B, 2, 1)
    addresses.settled(A)
    assert kept[-1] == {A: {"unit": 2, "state": "done", "nonce": 4711}}
    assert addresses.done() == {A: 2}
    with pytest.raises(Busy, match=A):
        addresses.reserve(B, 2, 1)
    assert len(kept) == 2


def test_a_meter_that_moves_holds_both_ids_until_that_is_decided():
    addresses = journal(**{A: entry(5)})
    addresses.reserve(A, 6, 1)
    for unit in (5, 6):
        with pytest.raises(Busy):
            addresses.reserve(B, unit, 1)
    addresses.reserve(A, 7, 1)  # tried again elsewhere
    addresses.reserve(B, 6, 1)
    addresses.settled(A)
    assert (addresses.owner(5), addresses.owner(7)) == ("", A)


def test_a_meter_that_fails_has_what_it_had():
    addresses = journal(**{A: entry(5)})
    addresses.reserve(A, 6, 1)
    addresses.failed(A)
    assert addresses.done() == {A: 5}
    addresses.reserve(B, 6, 1)
    addresses.failed(B)
    assert (addresses.owner(6), addresses.done()) == ("", {A: 5})
    assert addresses.entries()[B].state is State.FAILED


def test_what_cannot_be_kept_does_not_count():
    def full(_) -> None:
        raise OSError(28, "No space left on device")

    addresses = Addresses.from_json({A: entry(5)}, full)
    for change in (lambda: addresses.reserve(B, 2, 1), lambda: addresses.release(A)):
        with pytest.raises(OSError, match="No space"):
            change()
    assert addresses.done() == {A: 5}
    assert addresses.owner(2) == ""


@pytest.mark.parametrize(
    "kept",
    [
        {A: entry(2), B: entry(2)},
        {A: entry(2), B: entry(3, "pending", former=2)},
        {A: entry(0)},
        {A: entry(247)},
        {A: entry(True)},
        {A: entry("2")},
        {A: entry(2, "perhaps")},
        {A: entry(2, former="1")},
        {A: {"state": "done"}},
        {A: [2]},
        {A: {**entry(2), "nonce": None}},
    ],
)
def test_a_journal_that_cannot_be_is_not_believed(kept):
    with pytest.raises(ValueError, match=f"{A}|ID 2"):
        journal(**kept)


class AnyOrder(RuleBasedStateMachine):
    """Meters are given IDs in any order, with cuts between and within any two changes, failures and deletions. `at` is
    where each meter believes it belongs, as long as it was not deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict = {}
        self.cut_at = ""
        self.at: dict[str, int] = {}
        self.boot()

    def boot(self) -> None:
        self.addresses = Addresses.from_json(self.kept, self.keep)

    def keep(self, whole) -> None:
        if self.cut_at == "before":
            raise OSError
        self.kept = {serial: dict(its) for serial, its in whole.items()}
        if self.cut_at == "after":
            raise OSError

    def change(self, what, *arguments) -> bool:
        """One change, which the power may cut; tells whether it went through."""
        try:
            what(*arguments)
        except OSError:
            self.cut_at = ""
            self.boot()
            return False
        return True

    serials = st.sampled_from([f"04200200{n:02}" for n in range(6)])
    taken = st.dictionaries(st.integers(1, 6), st.just(""), max_size=2)

    @rule(serial=serials, taken=taken, skipped=st.integers(0, 3))
    def give(self, serial, taken, skipped):
        """The first choices may be passed over, because a stranger answers there."""
        pending = self.addresses.recover().get(serial)
        if pending is not None and self.at.get(serial) == pending.unit:
            self.change(self.addresses.settled, serial)  # as it says itself
            return
        unit = next(islice(self.addresses.choices(serial, taken), skipped, None))
        assert unit not in taken
        self.change(self.addresses.reserve, serial, unit, 7)

    @precondition(lambda self: self.addresses.recover())
    @rule(data=st.data(), is_there=st.booleans())
    def decide(self, data, is_there):
        """The meter has kept its new ID, or not."""
        serial = data.draw(st.sampled_from(sorted(self.addresses.recover())))
        unit = self.addresses.recover()[serial].unit
        if is_there or self.at.get(serial) == unit:
            self.at[serial] = unit
            self.change(self.addresses.settled, serial)
        else:
            self.change(self.addresses.failed, serial)

    @rule(serial=serials)
    def delete(self, serial):
        if self.change(self.addresses.release, serial) or serial not in self.kept:
            self.at.pop(serial, None)

    @rule(when=st.sampled_from(["before", "after"]))
    def cut_the_next_change(self, when):
        self.cut_at = when

    @rule()
    def cut_now(self):
        self.boot()

    @invariant()
    def what_counts_is_kept(self):
        assert self.addresses.as_json() == self.kept

    @invariant()
    def no_id_is_two_meters(self):
        assert len(set(self.at.values())) == len(self.at)
        held = [unit for its in self.addresses.entries().values() for unit in its.held()]
        assert len(held) == len(set(held))

    @invariant()
    def no_meter_is_forgotten(self):
        assert all(self.addresses.owner(unit) == serial for serial, unit in self.at.items())


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
