"""The power fails at any moment: after every single thing that a journal at work did to its files, these are opened as
they may be by then."""

import tempfile
from pathlib import Path
from random import Random

import pytest

from concentrator.journal import mark
from tests.support.disk import SECTOR, Step, Storage
from tests.support.power import recorded, survived


@pytest.fixture(autouse=True)
def _moments_are_not_compared(monkeypatch):
    """A file that is written again cannot be given the moment of its last change."""
    monkeypatch.setattr(mark, "_changed", lambda descriptor: 0)


@pytest.fixture
def quick_folder():
    """A folder in memory where there is one: what is synced is written down, and need not be synced for that."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def test_after_a_power_cut_at_any_moment_nothing_that_was_promised_is_missing(quick_folder):
    story = recorded(quick_folder / "journal", quick_folder, seed=2026, lines=160, sessions=3)
    *_, promises = survived(story, seed=2026)
    assert {step.kind for step in story.steps} >= set("owsmru")
    assert len(promises.appended) > 100
    assert promises.files
    assert promises.expiring


def step(kind, name, at=0, data=b"", is_new=False):
    return Step(kind, name, at, data, is_new, 0.0)


def test_of_what_was_not_synced_any_part_may_be_left():
    storage = Storage()
    for each in (
        step("o", "a", is_new=True),
        step("w", "a", 0, b"A" * 2 * SECTOR),
        step("s", "a"),
        step("s", "."),
        step("w", "a", 0, b"B" * 2 * SECTOR),
        step("r", "a", data=b"b"),
    ):
        storage.take(each)
    assert storage.seen() == {"b": b"B" * 2 * SECTOR}
    random = Random(1)
    left = [storage.cut(random) for _ in range(200)]
    assert {name for files in left for name in files} == {"a", "b"}
    contents = {bytes(files.get("a") or files.get("b")) for files in left}
    parts = [b"A" * SECTOR, b"B" * SECTOR]
    assert contents == {first + second for first in parts for second in parts}


def test_what_was_synced_is_left():
    storage = Storage()
    for each in (step("o", "a", is_new=True), step("w", "a", 7, b"A"), step("s", "a"), step("s", ".")):
        storage.take(each)
    assert {tuple(storage.cut(Random(seed)).items()) for seed in range(50)} == {(("a", bytes(7) + b"A"),)}


def test_a_name_that_was_not_synced_may_be_gone():
    storage = Storage()
    for each in (step("o", "a", is_new=True), step("w", "a", 0, b"A"), step("s", "a")):
        storage.take(each)
    assert {tuple(storage.cut(Random(seed))) for seed in range(50)} == {(), ("a",)}
