"""Registers as a profile lays them out: whatever a variable is made of, what is read of it is what it was to be."""

import pytest

from concentrator.model.profile import Function
from concentrator.profile.load import parse_profile
from concentrator.sim.profile_map import ProfileMap, decoded

HEAD = '[profile]\ntype = "meter"\nbrand = "B"\nclass = "c"\nseries = "S"\nmodels = ["M"]\n'
OWN = (None, Function.HOLDING)


def layout(*variables, head="", tail=""):
    sections = "".join(f'[[variable]]\nfunction = "holding"\n{lines}\n' for lines in variables)
    return ProfileMap(parse_profile(f"{HEAD}{head}\n{sections}{tail}", "b/s"))


def variable(name, address, kind="u16", more="", unit="W"):
    return f'name = "{name}"\nunit = "{unit}"\naddress = {address}\ntype = "{kind}"\n{more}'


def through(subject, **values):
    """What is said of the values, which must be what the registers hold."""
    content = subject.content(values)
    for point in subject.profile.points:
        if point.name in values:
            assert decoded(point, content)[point.name] == pytest.approx(content.says[point.name])
    return content


@pytest.mark.parametrize("value", [1200.0, -700.0, 0.0])
@pytest.mark.parametrize("kind", ["u32", "s32"])
def test_a_difference_of_two_registers_takes_either_sign(kind, value):
    content = through(layout(variable("p", 10, kind, "less = [20]")), p=value)
    assert content.says["p"] == value


def test_a_sum_is_laid_out_evenly_over_its_parts():
    content = through(layout(variable("p", 10, more="plus = [20, 30]")), p=90)
    assert [content.words[(*OWN, address)] for address in (10, 20, 30)] == [30, 30, 30]


def test_a_sum_of_variables_is_what_those_come_to():
    parts = [variable(f"p{n}", 9 + n, "s16") for n in (1, 2, 3)]
    subject = layout(*parts, variable("p", 10, "s16", "plus = [11, 12]"))
    assert through(subject, p=7000, p1=100, p2=-20, p3=5).says["p"] == 85


def test_what_is_missing_to_a_sum_goes_into_its_other_parts():
    subject = layout(variable("p1", 10), variable("p", 10, more="plus = [20]"))
    assert through(subject, p=100, p1=30).words[(*OWN, 20)] == 70


def test_words_lie_where_they_are_said_to_and_in_their_order():
    subject = layout(
        variable("p", 78, "u32", "words = [80, 78]"), variable("q", 90, "u32", 'order = "little-word"', "var")
    )
    content = through(subject, p=0x12345, q=0x54321)
    assert [content.words[(*OWN, n)] for n in (80, 78, 90, 91)] == [1, 0x2345, 0x4321, 5]


def test_scale_factors_are_registers_of_their_own():
    subject = layout(
        *(variable(name, place, more='sf = "a"\nsf_address = 30', unit="V") for name, place in (("v1", 10), ("v2", 11)))
    )
    content = through(subject, v1=231.44, v2=99.9)
    assert content.words[(*OWN, 30)] == 0xFFFF
    assert (content.says["v1"], content.words[(*OWN, 10)]) == (231.4, 2314)


def test_bits_share_a_register():
    flags = [variable(f"f{bit}", 5, "bool", f"bit = {bit}", "") for bit in (0, 3)]
    content = through(layout(*flags, variable("n", 5, "u4", "bit = 8", "")), f0=1, f3=1, n=9)
    assert content.words[(*OWN, 5)] == 0x909


def test_two_readings_of_one_register_agree():
    subject = layout(variable("status", 5, unit=""), variable("alarm", 5, "bitfield16", unit=""))
    assert through(subject, status=7, alarm=3).says == {"status": 7, "alarm": 7}


def test_what_says_who_it_is_may_lie_within_something_else_and_is_there_when_asked_for_alone():
    tail = '[[identify]]\nwhat = "model code"\nfunction = "holding"\naddress = 11\ntype = "u16"\nmatch = "71"\n'
    content = layout(variable("v31", 10, "s32", unit="V"), tail=tail).content({"v31": 400, "model_code": 71})
    assert content.words[(*OWN, 11)] == 400
    assert content.alone == {((*OWN, 11), 1): (71,)}
    assert content.says == {"v31": 400, "model_code": 71}


def test_what_the_profile_does_not_name_is_not_there():
    reads = ((40, 4), (10, 2))
    tail = "".join(f'[[read]]\nfunction = "holding"\naddress = {first}\ncount = {n}\n' for first, n in reads)
    subject = layout(variable("p", 10, "u32"), variable("q", 42, unit="var"), tail=tail)
    assert subject.has(OWN, 10, 2)
    assert subject.has(OWN, 40, 4), "a read of the file is there, holes and all"
    assert not subject.has(OWN, 10, 3)
    assert not subject.has(OWN, 9, 1)
    assert not subject.has((None, Function.INPUT), 10, 2)
    assert not subject.has((3, Function.HOLDING), 10, 2)


def test_a_sum_can_be_read_whole():
    assert layout(variable("p", 10, more="plus = [20]")).has(OWN, 10, 11)


def test_no_read_crosses_a_barrier():
    subject = layout(variable("p", 10), variable("q", 11, unit="var"), head="barriers = [11]")
    assert subject.has(OWN, 10, 1)
    assert not subject.has(OWN, 10, 2)


def test_objects_are_read_one_by_one():
    head = "one_object_per_request = true"
    subject = layout(variable("p", 10, "u32"), variable("q", 11, "u32", unit="var"), head=head)
    assert subject.has(OWN, 11, 2)
    assert not subject.has(OWN, 10, 1)
    assert not subject.has(OWN, 10, 3)
    content = subject.content({"p": 0x10002, "q": 0x30004})
    assert content.alone == {((*OWN, 10), 2): (1, 2), ((*OWN, 11), 2): (3, 4)}


def test_a_variable_may_lie_at_another_modbus_id():
    subject = layout(variable("p", 10), variable("q", 10, more="unit_id = 2", unit="var"))
    content = subject.content({"p": 1, "q": 2})
    assert (content.words[(*OWN, 10)], content.words[2, Function.HOLDING, 10]) == (1, 2)


def test_a_device_says_which_commands_it_knows():
    tail = '[[command]]\nname = "start"\nfunction = "coil"\naddress = 1\nvalue = 1\n'
    tail += "support_register = 50\nsupport_bit = 3\n"
    subject = layout(variable("p", 10), tail=tail)
    assert subject.content({}).words[(*OWN, 50)] == 8
    assert subject.has(OWN, 50, 1)
