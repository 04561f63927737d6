"""concentrator.dialect.holes: parts of a refused block, until what is refused stands alone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.dialect.holes import parts
from concentrator.model.profile import Block, DeviceProfile, Function, Point, Traits
from concentrator.model.quantity import Kind, Quantity
from concentrator.profile.plan import plan_blocks


def point(name, address, count=1, **options):
    encoding = {1: "u16", 2: "u32", 4: "u64"}[count]
    return Point(Quantity(name, "V", Kind.INSTANTANEOUS), Function.HOLDING, address, count, encoding, **options)


def block(address, count, *points):
    return Block(Function.HOLDING, address, count, points)


def shown(cut):
    return [(part.address, part.count, "".join(one.name for one in part.points)) for part in cut]


def test_a_block_is_first_cut_at_what_it_only_reads_over():
    a, b, c = point("a", 0, 2), point("b", 5), point("c", 6, 4)
    assert shown(parts(block(0, 12, a, b, c))) == [(0, 2, "a"), (5, 5, "bc")]
    assert shown(parts(block(0, 10, b, c))) == [(5, 5, "bc")]


def test_a_block_without_holes_is_halved_between_two_points():
    points = [point(name, 2 * n, 2) for n, name in enumerate("abcde")]
    assert shown(parts(block(0, 10, *points))) == [(0, 4, "ab"), (4, 6, "cde")]
    assert shown(parts(block(0, 6, point("a", 0), point("b", 1), point("c", 2, 4)))) == [(0, 2, "ab"), (2, 4, "c")]


def test_a_single_point_is_left_as_it_is():
    alone = block(7, 4, point("a", 7, 4))
    assert parts(alone) == (alone,)
    bits = block(7, 1, point("a", 7, bit=0), point("b", 7, bit=1))
    assert parts(bits) == (bits,)
    nothing = block(100, 8)
    assert parts(nothing) == (nothing,)


def test_what_others_need_goes_on_being_read_and_comes_first():
    """A scale factor that is read with the points it scales."""
    a, b = point("a", 0, sf_address=9), point("b", 1, sf_address=9)
    assert shown(parts(block(0, 10, a, b), {9, 40})) == [(9, 1, ""), (0, 2, "ab")]
    assert shown(parts(block(0, 3, a, b), {2})) == [(0, 1, "a"), (1, 2, "b")]
    assert shown(parts(block(1, 2, b), {2})) == [(2, 1, ""), (1, 1, "b")]


def test_values_that_share_registers_stay_together():
    spread = point("a", 0, 2, words=(0, 3))
    inside, after = point("b", 1), point("c", 4)
    assert shown(parts(block(0, 5, spread, inside, after))) == [(0, 4, "ab"), (4, 1, "c")]


def test_a_sum_does_not_keep_its_parts_from_being_read():
    total, first, last = point("s", 0, less=(8,)), point("a", 0), point("b", 8)
    assert shown(parts(block(0, 9, total, first, last))) == [(0, 1, "a"), (8, 1, "b"), (0, 9, "s")]
    alone = block(0, 9, total)
    assert parts(alone) == (alone,)


_POINTS = st.lists(
    st.tuples(st.integers(0, 120), st.sampled_from([1, 2, 4]), st.sampled_from([None, None, 3, 40, 77])),
    min_size=1,
    max_size=30,
)


@given(
    _POINTS,
    st.sets(st.integers(0, 130), max_size=12),
    st.integers(4, 125),
    st.lists(st.integers(0, 130), max_size=3),
    st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=200)
def test_whatever_is_refused_everything_else_is_read(places, dead, longest, barriers, draw):
    """A device that refuses whatever touches a dead register, and a master that tries its blocks in any order: in the
    end each point is in exactly one block, all that can be read is, and no read is more than the device bears."""
    points, end = [], 0
    for n, (address, count, factor) in enumerate(sorted(places, key=lambda place: place[:2])):
        if address >= end and not any(address < barrier < address + count for barrier in barriers):
            points.append(point(f"p{n}", address, count, sf_address=factor))
            end = address + count
    traits = Traits(longest_read=longest, barriers=tuple(barriers))
    blocks = list(plan_blocks(DeviceProfile("a/b", "meter", "A", "c", "B", ("B",), tuple(points), traits=traits)))
    factors = {one.sf_address for one in points} - {None}
    asked = most = len(blocks)
    most += 2 * (len(points) + len(factors))
    settled = False
    while not settled:
        settled = True
        for place in draw.sample(range(len(blocks)), len(blocks)):
            one = blocks[place]
            if dead.isdisjoint(range(one.address, one.address + one.count)):
                continue
            cut = parts(one, factors)
            if cut != (one,):
                asked += len(cut)
                blocks[place : place + 1] = cut
                settled = False
                break
    names = [one.name for each in blocks for one in each.points]
    assert sorted(names) == sorted(one.name for one in points)
    for each in blocks:
        last = each.address + each.count
        assert each.count <= longest
        assert not any(each.address < barrier < last for barrier in barriers)
        assert all(each.address <= address < last for one in each.points for address in one.addresses)
        if not dead.isdisjoint(range(each.address, last)):
            assert len(each.points) <= 1
    for one in points:
        if dead.isdisjoint(one.addresses):
            home = next(each for each in blocks if one in each.points)
            assert dead.isdisjoint(range(home.address, home.address + home.count))
    for factor in factors:
        assert any(each.address <= factor < each.address + each.count for each in blocks)
    assert asked <= most
