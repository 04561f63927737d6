"""The modem's data connection in the configuration file."""

import pytest

from concentrator.model.errors import ConfigError


def section(text="", name="wan"):
    return f"[modem.{name}]\n{text}"


def test_the_defaults_connect_by_what_the_sim_usually_has(config):
    found = config(section()).services["modem"]["wan"]
    assert (found.enabled, found.modem, found.apn, found.user, found.password, found.pin) == (True, "any", *[""] * 4)
    assert found.told() == "ModemManager's modem any: data by an access point of the SIM"


def test_what_is_written_is_what_there_is_and_secrets_are_not_told(config):
    text = 'apn = "internet.es"\nuser = "me"\npassword = "hidden word"\npin = "90210"\nmodem = "0"\n'
    found = config(section(text)).services["modem"]["wan"]
    assert (found.apn, found.user, found.password, found.pin) == ("internet.es", "me", "hidden word", "90210")
    assert found.told() == "ModemManager's modem 0: data by internet.es"
    assert "hidden" not in repr(found) and "90210" not in repr(found)


def test_one_that_is_off_does_nothing(config):
    assert config(section("enabled = false\n")).services["modem"]["wan"].told() == ""


def test_an_access_point_has_forty_characters_at_most(config):
    assert len(config(section(f'apn = "{"a" * 40}"\n')).services["modem"]["wan"].apn) == 40


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (section(f'apn = "{"a" * 41}"\n'), "an access point name, at most 40 characters"),
        (section('apn = "a b"\n'), "an access point name"),
        (section('pin = "123"\n'), "4 to 8 digits, or nothing"),
        (section('pin = "123456789"\n'), "4 to 8 digits, or nothing"),
        (section('pin = "12a4"\n'), "4 to 8 digits, or nothing"),
        (section('modem = "first"\n'), 'the number of a modem, or "any"'),
        (section('user = "a\\nb"\n'), "a user name, at most 64 characters"),
        (section('password = "x"\n'), "the user whose password it is"),
        (section() + section("", "second"), "[modem.wan] may have, expected a modem of its own"),
        (section('modem = "1"\n') + section('modem = "1"\n', "second"), 'found "1", which [modem.wan] may have'),
    ],
)
def test_what_cannot_be_is_told(config, text, fault):
    with pytest.raises(ConfigError) as found:
        config(text)
    assert fault in str(found.value)


def test_a_wrong_pin_is_not_repeated_to_people(config):
    with pytest.raises(ConfigError) as found:
        config(section('pin = "99x99"\n'))
    assert "99x99" not in str(found.value)


def test_two_modems_may_both_be_there(config):
    text = section('modem = "0"\n') + section('modem = "1"\n', "second") + section("enabled = false\n", "third")
    assert list(config(text).services["modem"]) == ["wan", "second", "third"]
