"""The devices of a simulated line are those its options name, each at an ID of its own."""

import pytest

from concentrator.app.simulate_devices import simulated
from concentrator.app.simulate_line import WrongDevices
from concentrator.app.simulate_options import parser
from concentrator.model.errors import ProfileError

NOW = 1_795_262_400.0


def line(*words):
    return simulated(parser().parse_args(words), NOW)


def placed(*words):
    return [(device.unit, device.profile.key) for device in line(*words).placed]


def test_ids_are_those_given_or_the_factorys_or_the_first_free_ones():
    assert placed("--profile", "goodwe/et", "--profile", "goodwe/dt", "--profile", "eastron/sdm630@1,3-4") == [
        (1, "eastron/sdm630"),
        (2, "goodwe/dt"),
        (3, "eastron/sdm630"),
        (4, "eastron/sdm630"),
        (247, "goodwe/et"),
    ]


def test_an_id_is_given_once():
    with pytest.raises(WrongDevices, match="Modbus ID 4: found two devices"):
        line("--profile", "goodwe/et@3-4", "--profile", "sungrow/sg@4")
    with pytest.raises(WrongDevices, match="no free Modbus ID"):
        line("--profile", "goodwe/et@1-247", "--profile", "sungrow/sg")


def test_native_meters_may_be_among_them():
    assert placed("--profile", "energycm/ccm@5", "--profile", "sungrow/sg@6") == [
        (5, "energycm/ccm"),
        (6, "sungrow/sg"),
    ]
    alone, many = line("--profile", "energycm/ccm@2"), line("--meters", "3")
    assert alone.meters[0].serial == many.meters[1].serial


def test_what_is_for_native_meters_only_is_refused():
    with pytest.raises(WrongDevices, match="--unlinked"):
        line("--profile", "goodwe/et", "--unlinked", "2")


def test_meters_of_another_protocol_do_not_hang_on_a_modbus_line():
    with pytest.raises(WrongDevices, match="M-Bus"):
        line("--profile", "goodwe/et", "--profile", "mbus/generic")


def test_what_is_for_a_serial_port_only_is_refused_with_tcp():
    with pytest.raises(WrongDevices, match="--log, --noise, which are for a serial port"):
        line("--profile", "goodwe/et", "--tcp", "0", "--log", "x", "--noise", "0.1")


def test_a_profile_that_is_not_there_is_named():
    with pytest.raises(ProfileError, match="goodwe/et"):
        line("--profile", "goodwe/ex")


def test_a_profile_of_ones_own_will_do(tmp_path):
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "a3.toml").write_text(
        '[profile]\ntype = "meter"\nbrand = "Acme"\nclass = "c"\nseries = "A3"\nmodels = []\nbaudrate = 19200\n'
        '[[variable]]\nname = "v1"\nunit = "V"\nfunction = "input"\naddress = 0\ntype = "f32"\n'
    )
    made = line("--profile", "acme/a3", "--dir", str(tmp_path))
    assert (made.devices[0].unit, made.baudrate) == (1, 19200)
    assert 220 < made.devices[0].values(NOW)["v1"] < 240


def test_a_sunspec_profile_becomes_a_chain_of_models():
    assert "soc" in line("--profile", "sunspec/inverter-int@1").devices[0].values(NOW)


def test_the_seed_decides_who_they_are():
    one, same, other = (line("--profile", "goodwe/et", "--seed", seed).devices[0] for seed in "112")
    assert one.serial == same.serial != other.serial
    assert dict(one.values(NOW)) == dict(same.values(NOW))


@pytest.mark.parametrize("words", [("--profile", "@3"), ("--profile", "a/b@0"), ("--profile", "a/b@"), ("--tcp", "x")])
def test_a_wrong_option_is_refused(words, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    assert f"found '{words[1]}', expected" in capsys.readouterr().err
