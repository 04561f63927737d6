"""What a journal at work in another process said it had done, and whether one that is opened again keeps to it."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from zlib import crc32

from attrs import define, field

from concentrator.journal import codec
from concentrator.journal.journal import Journal
from concentrator.journal.tables import Tables
from concentrator.model.record import Draft, Record
from tests.support.journals import result

READERS = {"mqtt": {10, 0}, "ftp": {300}}
"""The readers of the journal, and the periods of their records."""

_GONE = -(2**62)


def fingerprint(record: Record) -> str:
    """A record's journal id, and a sum over what is in it."""
    draft = record.draft
    tallies = [tally and tuple(tally) for tally in draft.tallies]
    facts = (draft.uid, draft.period, draft.end, draft.quality.value, json.dumps(draft.event), tallies)
    return f"{record.journal}:{crc32(repr(facts).encode()):08x}"


@define
class Promises:
    """Everything any child was ever promised: `appended` number → fingerprint, `expiring` period → the latest moment up
    to which its records may be gone."""

    appended: dict[int, str] = field(factory=dict)
    ends: dict[int, tuple[int, int]] = field(factory=dict)
    given: set[int] = field(factory=set)
    settling: set[int] = field(factory=set)
    settled: set[int] = field(factory=set)
    files: dict[int, tuple] = field(factory=dict)
    expiring: dict[int, int] = field(factory=dict)

    def heard(self, word: str, *words: str) -> None:
        """Takes a line of a child's."""
        if word == "F":
            identity, serial, *told = words
            file = (serial, *map(int, told))
            assert self.files.setdefault(int(identity), file) == file, "a file changed"
        elif word == "A":
            n, period, end, print_ = int(words[0]), int(words[1]), int(words[2]), words[3]
            assert self.appended.setdefault(n, print_) == print_, "a number was given twice"
            self.ends[n] = (period, end)
        elif word == "X":
            period, cutoff = map(int, words)
            self.expiring[period] = max(cutoff, self.expiring.get(period, _GONE))
        elif word in ("G", "s", "S"):
            {"G": self.given, "s": self.settling, "S": self.settled}[word].update(map(int, words))
        else:
            raise AssertionError(f"the child reported {word} {words}")

    def may_be_gone(self, period: int, end: int) -> bool:
        """Whether a record that ended then may have been deleted for its age."""
        return end <= self.expiring.get(period, _GONE)


def check(journal: Journal, promises: Promises) -> dict[int, Draft]:
    """Holds a journal that was opened again, with its readers, to what was promised; gives its records."""
    everything = partial(Tables.read, spans=[(1, journal.synced)], periods=[0, 10, 300], limit=10**6, newest=False)
    found, _ = result(journal.query(everything))
    records = {record.n: record.draft for record in found}
    assert len(records) == len(found)
    prints = {record.n: fingerprint(record) for record in found}
    # Whatever append fired for is there, as it was, once.
    kept = {n for n, (period, end) in promises.ends.items() if not promises.may_be_gone(period, end)}
    missing = {n for n in kept if prints.get(n) != promises.appended[n]}
    assert not missing, f"acknowledged, and not there: {sorted(missing)}"
    changed = {n for n in promises.appended if n in prints and prints[n] != promises.appended[n]}
    assert not changed, f"given twice: {sorted(changed)}"
    twins = Counter((d.uid, d.period, d.end, str(d.event)) for d in records.values())
    assert max(twins.values(), default=1) == 1
    # What was appended together is there together.
    assert _ends_of(records, "main", promises) == _ends_of(records, "other", promises)
    # A reader was given nothing that is not on the disk.
    given = {n for n in promises.given if n in kept}
    assert given <= set(records), f"given to a reader, and not there: {sorted(given - set(records))}"
    # Settled is settled, and nothing else is.
    live = {n for n, draft in records.items() if draft.period != 300}
    unsettled = _in_spans(journal.unsettled("mqtt"), live)
    assert not unsettled & promises.settled
    assert live - promises.settling <= unsettled
    assert journal.waiting("mqtt") == len(unsettled)
    _check_files(journal, promises, {n: draft for n, draft in records.items() if draft.period == 300})
    return records


def _check_files(journal: Journal, promises: Promises, filed: dict[int, Draft]) -> None:
    # A record to be filed is in no file, or in one that is owed, or in one that was given out.
    every = result(journal.query(_intents))
    rows = [row for row in every if not promises.may_be_gone(300, row[3])]
    owed = _numbers(rows)
    not_filed = _in_spans(journal.unsettled("ftp"), filed)
    given_out = {n for _, _, _, *numbers in promises.files.values() for n in numbers}
    assert not set(owed) & not_filed
    assert len(owed) == len(set(owed))
    to_file = {n for n, draft in filed.items() if not promises.may_be_gone(300, draft.end)}
    assert to_file <= not_filed | set(owed) | given_out
    assert not_filed | set(owed) | (given_out & to_file) <= set(filed)
    assert journal.waiting("ftp") == len(not_filed) + len(_numbers(every))
    # A file that was given out is on the disk, under the same name and, while it is owed, with the same records.
    kept = {identity: row for identity, *row in rows}
    for identity, (serial, start, stop, *numbers) in promises.files.items():
        if promises.may_be_gone(300, stop):
            continue
        *name, contents = kept[identity]
        assert name == [serial, start, stop]
        assert contents is None or codec.unpack_rising(contents) == sorted(numbers)
    assert len({tuple(row[:3]) for row in kept.values()}) == len(kept), "a period has two files"
    given = Counter(n for _, _, _, *numbers in promises.files.values() for n in numbers)
    assert max(given.values(), default=1) == 1


def _ends_of(records: dict[int, Draft], uid: str, promises: Promises) -> set[int]:
    ends = {draft.end for draft in records.values() if (draft.uid, draft.period) == (uid, 300)}
    return {end for end in ends if not promises.may_be_gone(300, end)}


def _in_spans(spans, numbers) -> set[int]:
    return {n for n in numbers if any(first <= n <= last for first, last in spans)}


def _numbers(intents: list[tuple]) -> list[int]:
    return [n for *_, numbers in intents if numbers is not None for n in codec.unpack_rising(numbers)]


def _intents(tables: Tables) -> list[tuple]:
    return tables.sql.execute("SELECT id, serial, start, stop, numbers FROM intent").fetchall()
