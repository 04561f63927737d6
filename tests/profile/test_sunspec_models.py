"""concentrator.profile.sunspec_models: what lies where in a model of a number and a length, as pysunspec2 says too."""

import pytest
import sunspec2.device

from concentrator.profile.sunspec_models import Model, entries
from concentrator.profile.sunspec_names import NAMES
from tests.support.sunspec import content


def theirs(model):
    """Name, repetition, address and registers of every value, as pysunspec2 places it."""
    for name, point in model.points.items():
        yield name, None, point.offset, point.len
    for groups in model.groups.values():
        for nth, group in enumerate(groups, 1):
            for name, point in group.points.items():
                yield name, nth, point.offset, point.len


@pytest.mark.parametrize("number", NAMES)
def test_every_value_lies_where_pysunspec2_has_it(number):
    repeating = {160: "module", 714: "Prt"}.get(number)
    made = content(number, groups=[{}, {}, {}] if repeating else None)
    model = sunspec2.device.Model(model_id=number, model_len=len(made) // 2 - 2, data=made)
    known = set(theirs(model))
    ours = {(e.name, e.nth, e.address - 1000, e.count) for e in entries(Model(number, 1000, len(made) // 2 - 2))}
    assert ours
    assert ours <= known
    assert {(name, nth) for name, nth, _, _ in ours} >= {
        (name, nth) for name, nth, _, _ in known if name in NAMES[number]
    }


def test_a_model_that_nobody_defined_has_no_values():
    assert entries(Model(64999, 0, 10)) == ()


def test_of_a_model_that_is_shorter_than_its_definition_there_is_what_lies_in_it_with_its_scale_factor():
    names = [entry.name for entry in entries(Model(103, 0, 14))]
    assert names == ["ID", "L", "A", "AphA", "AphB", "AphC", "PPVphAB", "PPVphBC", "PPVphCA", *names[9:]]
    assert names[9:] == ["PhVphA", "PhVphB", "PhVphC", "W"]
    assert "W" not in [entry.name for entry in entries(Model(103, 0, 13))]


def test_of_a_model_that_is_longer_than_its_definition_there_is_what_is_defined():
    assert [entry.name for entry in entries(Model(103, 0, 90))] == [entry.name for entry in entries(Model(103, 0, 50))]


@pytest.mark.parametrize(("length", "times"), [(8, 0), (27, 0), (28, 1), (47, 1), (48, 2), (8 + 20 * 30, 30)])
def test_what_repeats_does_so_as_often_as_the_model_is_long(length, times):
    assert [e.nth for e in entries(Model(160, 0, length)) if e.name == "DCW"] == list(range(1, times + 1))


def test_a_scale_factor_is_looked_for_in_the_group_and_in_the_model():
    (first, second) = [entry for entry in entries(Model(160, 100, 48)) if entry.name == "DCW"]
    assert (first.address, second.address) == (121, 141)
    assert first.sf_address == second.sf_address == 104
