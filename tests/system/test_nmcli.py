"""concentrator.system.nmcli: what NetworkManager is told about a modem, and what is read from its answers."""

import stat

import pytest

from concentrator.system import nmcli
from concentrator.system.nmcli import MobileTerms, sight_of

TERMS = MobileTerms("wan", apn="internet", user="me", password="hidden", pin="1234")


def said(state="registered", **generic):
    return {"modem": {"generic": {"state": state, **generic}, "3gpp": {"operator-name": "Some Net"}}}


def test_a_modem_is_seen_with_its_network_its_signal_and_its_ports():
    generic = {
        "signal-quality": {"value": "54"},
        "primary-port": "cdc-wdm0",
        "ports": ["cdc-wdm0 (qmi)", "wwan0 (net)"],
    }
    sight = sight_of(said(**generic))
    assert (sight.operator, sight.signal, sight.port, sight.card) == ("Some Net", 54, "cdc-wdm0", "wwan0")


@pytest.mark.parametrize("retries", [["sim-pin (2)", "sim-puk (10)"], "sim-pin (2), sim-puk (10)"])
def test_a_locked_sim_is_seen_with_the_tries_it_has(retries):
    sight = sight_of(said("locked", **{"unlock-required": "sim-pin", "unlock-retries": retries}))
    assert (sight.lock, sight.tries, sight.radio) == ("sim-pin", 2, "off")


def test_a_second_pin_that_nobody_needs_is_no_lock():
    assert sight_of(said("connected", **{"unlock-required": "sim-pin2"})).lock == ""


@pytest.mark.parametrize("strange", [{}, [], None, {"modem": []}, {"modem": {"generic": {"state": 7, "ports": 3}}}])
def test_what_is_no_modem_is_seen_as_none(strange):
    assert sight_of(strange) == nmcli.ModemSight()


@pytest.mark.parametrize(
    ("state", "radio"),
    [("disabled", "off"), ("searching", "searching"), ("enabled", "searching"), ("connected", "registered")],
)
def test_the_radio_is_off_searching_or_registered(state, radio):
    assert sight_of(said(state)).radio == radio


def test_no_secret_is_among_the_properties():
    told = nmcli.adding(TERMS.connection, nmcli.wanted(TERMS, ""))
    assert told[:8] == ("con", "add", "type", "gsm", "ifname", "*", "con-name", "ccmaster-wan")
    assert "internet" in told and "me" in told
    assert not {"hidden", "1234"} & set(told)
    assert "hidden" not in repr(TERMS) and "1234" not in repr(TERMS)


def test_without_an_access_point_networkmanager_finds_one():
    wanted = nmcli.wanted(MobileTerms("wan"), "")
    assert (wanted["gsm.auto-config"], wanted["gsm.apn"]) == ("yes", "")
    assert "gsm.apn" not in nmcli.adding("ccmaster-wan", wanted)


def test_a_named_modem_is_known_by_its_port():
    told = nmcli.adding("ccmaster-wan", nmcli.wanted(TERMS, "cdc-wdm0"))
    assert told[5] == "cdc-wdm0" and "connection.interface-name" not in told


def test_only_what_differs_is_changed():
    wanted = nmcli.wanted(TERMS, "")
    there = {**wanted, "gsm.apn": "other", "gsm.pin-flags": "2 (not saved)"}
    assert nmcli.differing(wanted, there) == {"gsm.apn": "internet"}
    assert nmcli.differing(wanted, {**there, "gsm.pin-flags": "0 (none)"}) == {
        "gsm.apn": "internet",
        "gsm.pin-flags": "2",
    }
    assert nmcli.changing("x", {"gsm.apn": ""}) == ("con", "modify", "id", "x", "gsm.apn", "")


def test_connections_are_listed_with_colons_in_their_names():
    table = "a\\:b:gsm:activated\nback\\\\:wifi:\nbroken\n"
    assert nmcli.listed(table) == {"a:b": ("gsm", "activated"), "back\\": ("wifi", "")}


def test_properties_may_hold_anything():
    assert nmcli.properties_of("gsm.apn:in:ter\ngsm.username:--\ngsm.pin-flags:\n") == {
        "gsm.apn": "in:ter",
        "gsm.username": "",
        "gsm.pin-flags": "",
    }


def test_secrets_are_written_as_networkmanager_reads_them():
    assert nmcli.passwords("", "") == ""
    assert nmcli.passwords("", "1234") == "gsm.pin:1234\n"
    assert nmcli.passwords(" a\\b:c#", "") == "gsm.password:\\ a\\\\b:c#\n"


def test_secrets_are_in_a_file_of_our_own_only_while_it_is_needed(tmp_path):
    path = tmp_path / "secret"
    path.write_text("left over")
    path.chmod(0o644)
    with nmcli.secret_file(path, "gsm.pin:1234\n"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text() == "gsm.pin:1234\n"
    assert not path.exists()
    with pytest.raises(KeyError), nmcli.secret_file(path, "x"):
        raise KeyError
    assert not path.exists()
