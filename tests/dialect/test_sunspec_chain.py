"""concentrator.dialect.sunspec_chain: where a chain begins and which models are in it, whatever a device does; and what
a device is by its own words. The registers are laid out by pysunspec2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.dialect.sunspec_chain import MOST_MODELS, SunSpecDevice, find_base, look, proposed, walk
from concentrator.model.errors import ConcentratorError, NoReply, NotOfProfile, Refused
from concentrator.model.profile import Function
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.sunspec import BASES, Chain
from concentrator.profile.sunspec_models import Model
from concentrator.wire.modbus import read, rtu
from tests.support.sunspec import Device, common, content, registers


def ask(address, count):
    return rtu(1, read(Function.HOLDING, address, count), 0.3)


def looked(device):
    return device.run(look(ask))


def numbers(chain):
    return [model.number for model in chain.models]


@pytest.mark.parametrize("base", BASES)
def test_a_chain_is_found_at_each_of_its_three_places(base):
    device = Device(registers(base, common(), content(103), content(160, {"N": 1}, [{}])))
    assert device.run(find_base(ask, BASES)) == base
    assert device.run(walk(ask, base)) == Chain(
        base, (Model(1, base + 2, 66), Model(103, base + 70, 50), Model(160, base + 122, 28))
    )


def test_other_registers_where_a_chain_could_begin_are_passed_over():
    device = Device({**dict.fromkeys(range(40000, 40010), 0x5375), **registers(0, common(), content(101))})
    assert looked(device).chain.base == 0


def test_models_come_in_any_order_and_unknown_ones_are_walked_over():
    vendor = (64999).to_bytes(2, "big") + (7).to_bytes(2, "big") + bytes(14)
    device = Device(registers(40000, content(160, {"N": 0}, []), vendor, common(), content(201)))
    found = looked(device)
    assert numbers(found.chain) == [160, 64999, 1, 201]
    assert found.serial == "A-0815"


def test_a_device_says_who_it_is():
    chain = Chain(40000, (Model(1, 40002, 66), Model(103, 40070, 50)))
    assert looked(Device(registers(40000, common(), content(103)))) == SunSpecDevice(
        chain, "Acme", "X-1", "net", "1.2.3", "A-0815"
    )


def test_what_it_does_not_say_is_empty():
    said = looked(Device(registers(40000, common(Opt=None, SN=None), content(103))))
    assert (said.options, said.serial, said.model) == ("", "", "X-1")


def test_the_first_of_several_introductions_is_the_devices_own():
    meter = common(Mn="Other", SN="M-1")
    assert looked(Device(registers(40000, common(), content(103), meter, content(203)))).serial == "A-0815"


def test_a_common_model_without_its_last_registers_is_read_as_far_as_it_goes():
    device = Device(registers(40000, content(1, {"Mn": "Acme", "SN": "7"}, length=64), content(103)))
    assert (looked(device).manufacturer, looked(device).serial) == ("Acme", "7")


@pytest.mark.parametrize("code", [1, 2, 3])
def test_a_device_that_refuses_to_read_beyond_its_last_model_has_ended_its_chain(code):
    device = Device(registers(40000, common(), content(103), end=b"\xff\xff"), refusal=code)
    assert numbers(looked(device).chain) == [1, 103]


def test_what_speaks_no_sunspec_is_told_from_what_does():
    assert looked(Device({})) is None
    assert looked(Device(dict.fromkeys([*range(100), *range(40000, 40100), *range(50000, 50100)], 1))) is None
    with pytest.raises(NotOfProfile, match="no SunSpec begins at register 40000, 50000 or 0"):
        Device({}).run(find_base(ask, BASES))


def test_places_that_are_not_answered_are_passed_over_by_whoever_only_looks():
    device = Device(registers(0, common(), content(103)), silent=range(40000, 50001))
    assert looked(device).chain.base == 0
    with pytest.raises(NoReply):
        device.run(find_base(ask, BASES))


def test_a_busy_device_is_not_taken_for_one_without_sunspec():
    with pytest.raises(Refused):
        looked(Device({}, refusal=6))


def test_a_chain_without_end_is_refused_in_words():
    device = Device({**registers(0, common()), **dict.fromkeys(range(70, 2000), 0)})
    with pytest.raises(NotOfProfile, match=f"damaged: it does not end within {MOST_MODELS} models"):
        looked(device)
    assert len(device.asked) <= MOST_MODELS + 6


@pytest.mark.parametrize(("base", "length"), [(40000, 0xFFFF), (50000, 15500), (40000, 65535 - 40072)])
def test_a_model_that_ends_beyond_the_last_register_is_refused_in_words(base, length):
    damaged = (103).to_bytes(2, "big") + length.to_bytes(2, "big")
    device = Device(registers(base, common(), damaged, end=b""))
    with pytest.raises(NotOfProfile, match=f"damaged: model 103 at register {base + 70} has {length} registers"):
        looked(device)


@given(st.dictionaries(st.integers(0, 40), st.sampled_from([0, 1, 2, 103, 160, 0xFFFF]) | st.integers(0, 0xFFFF)))
def test_whatever_registers_a_device_has_looking_ends(words):
    device = Device({0: 0x5375, 1: 0x6E53, **{2 + place: word for place, word in words.items()}})
    try:
        assert looked(device).chain.base == 0
    except ConcentratorError:
        assert device.asked
    assert len(device.asked) <= MOST_MODELS + 6


def profiles():
    catalogue = Catalogue()
    return [catalogue.get(heading.key) for heading in catalogue.headings() if heading.dialect == "sunspec"]


@pytest.mark.parametrize(
    ("maker", "models", "keys"),
    [
        ("Acme", [103], ("sunspec/inverter-int",)),
        ("Acme", [112], ("sunspec/inverter-float",)),
        ("Acme", [160, 101], ("sunspec/inverter-int", "sunspec/mppt")),
        ("Acme", [203], ("sunspec/meter-int",)),
        ("Acme", [103, 203], ("sunspec/inverter-int", "sunspec/meter-int")),
        ("SMA", [103], ("sma/sunspec", "sunspec/inverter-int")),
        ("Smart Metering", [103], ("sunspec/inverter-int",)),
        ("SMA", [701], ("sma/sunspec", "sunspec/inverter-int")),
        ("KOSTAL Solar Electric", [113], ("kostal/sunspec", "sunspec/inverter-float")),
        ("Acme", [64000], ()),
    ],
)
def test_the_makers_own_profile_is_proposed_before_the_general_ones(maker, models, keys):
    found = SunSpecDevice(Chain(0, tuple(Model(number, 100 * n, 50) for n, number in enumerate([1, *models]))), maker)
    assert proposed(found, profiles()) == keys
