"""The search by secondary addresses, without a wire: whoever is there is found, once, with as few probes as can be."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.errors import Garbled
from concentrator.wire.mbus_address import ANYBODY, SecondaryAddress, parse_address
from concentrator.wire.mbus_search import MOST_UNRESOLVED, least_probes, narrowed, searching, share_done
from concentrator.wire.mbus_talk import Crowd


def search(there, mask=ANYBODY):
    """What a search finds where these are there: meters, masks that cannot be told apart, the masks probed."""
    found, unresolved, probed = [], [], []
    steps = searching(found, unresolved, mask)
    outcome = None
    while True:
        try:
            probed.append(steps.send(outcome))
        except StopIteration:
            return found, unresolved, probed
        here = [each for each in there if probed[-1].matches(each)]
        outcome = Crowd.COLLISION if len(here) > 1 else here[0] if here else None


def address(number, maker="KAM", version=8, medium=4):
    return parse_address(f"{number:08}-{maker}-{version:02X}-{medium:02X}")


ADDRESSES = st.lists(
    st.builds(
        address,
        st.integers(0, 10**8 - 1) | st.integers(0, 30),
        st.sampled_from(["KAM", "LUG", "ABB", "ZZZ"]),
        st.integers(0, 254),
        st.sampled_from([2, 4, 7]),
    ),
    max_size=12,
    unique=True,
)


@given(there=ADDRESSES)
def test_everybody_is_found_once_and_nobody_else_with_the_least_of_probes(there):
    found, unresolved, probed = search(there)
    assert sorted(found) == sorted(there)
    assert unresolved == []
    assert len(probed) == least_probes(there)
    assert len(set(probed)) == len(probed)


def test_an_empty_line_costs_one_probe_and_a_single_meter_too():
    assert len(search([])[2]) == len(search([address(7)])[2]) == 1


def test_equal_digits_are_told_apart_by_what_stands_behind_them():
    there = [address(7, "KAM"), address(7, "LUG"), address(7, "KAM", 9), address(7, "KAM", 8, 6), address(7, "KAN")]
    found, unresolved, _ = search(there)
    assert sorted(found) == sorted(there)
    assert unresolved == []


def test_meters_with_one_address_are_told_as_unresolved_in_a_bounded_number_of_probes():
    twins = [address(7), address(7)]
    found, unresolved, probed = search(twins)
    assert found == []
    assert unresolved == [address(7)]
    assert len(probed) < 800


def test_noise_that_is_taken_for_several_costs_ten_probes():
    steps = searching([], [])
    next(steps)
    outcome = Crowd.COLLISION
    for count in range(10):
        mask = steps.send(outcome)
        assert mask.identification == f"{count}FFFFFFF"
        outcome = None


@pytest.mark.parametrize("share", [1.0, 0.5, 0.2])
def test_a_line_that_is_all_noise_is_given_up(share):
    draw = random.Random("noise")
    unresolved = []
    steps = searching([], unresolved)
    next(steps)
    with pytest.raises(Garbled, match="noise: "):
        for _ in range(5000):
            steps.send(Crowd.COLLISION if len(unresolved) == 0 or draw.random() < share else None)
    assert len(unresolved) == MOST_UNRESOLVED + 1


def test_a_search_may_begin_with_a_narrower_mask():
    found, _, _ = search([address(12_345_678), address(22_345_678)], parse_address("1FFFFFFF"))
    assert found == [address(12_345_678)]


def test_a_mask_without_wildcards_is_not_narrowed():
    assert narrowed(address(7)) == ()
    assert [str(each)[:8] for each in narrowed(parse_address("12FFFFFF"))] == [f"12{n}FFFFF" for n in range(10)]


def test_how_far_a_search_is_rises_with_the_masks():
    _, _, probed = search([address(n * 7_654_321) for n in range(12)])
    shares = [share_done(mask) for mask in probed]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] < 1.0
    assert share_done(SecondaryAddress(b"\xff" * 8)) == 0.0
