"""Profile files become DeviceProfiles, or all their faults at once."""

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.model.effect import Effect
from concentrator.model.errors import ProfileError
from concentrator.model.profile import Command, Evidence, Function, SerialDefaults, Sign, Status, Traits
from concentrator.profile.load import load_profile, parse_profile
from concentrator.profile.schema import LISTS
from tests.support.profiles import IDENTITY, faults, faults_of, load, said, text, variable


def test_the_identity_of_a_device_is_taken_as_it_is():
    profile = load(variable(), profile={"sources": ["a manual"], "doubts": ["none"], "confidence": "checked"})
    assert (profile.key, profile.type, profile.brand, profile.device_class) == (
        "acme/m1",
        "meter",
        "Acme",
        "three-phase",
    )
    assert (profile.series, profile.models, profile.dialect, profile.protocol_label) == ("M1", ("M1",), "modbus", "EXT")
    assert (profile.sources, profile.doubts, profile.confidence) == (("a manual",), ("none",), "checked")
    assert profile.point("v1") is profile.points[0]
    assert profile.point("v2") is None


def test_confidence_is_told_by_the_variables_where_no_words_tell_it():
    counted = load(variable(checked=True), variable("v2", address=1))
    assert counted.confidence == "1 of 2 variables agree in two sources"
    assert load(variable()).confidence == "single source"


def test_how_sure_it_is_and_what_a_positive_power_means_is_said_by_the_file():
    profile = load(variable(), profile={"status": "cross-checked", "sign": "generation"})
    assert (profile.status, profile.sign) == (Status.CROSS_CHECKED, Sign.GENERATION)
    silent = load(variable())
    assert (silent.status, silent.sign) == (Status.PROPOSED, None)
    assert [fault.expected for fault in faults(variable(), profile={"status": "sure", "sign": "+"})] == [
        "verified, cross-checked, single-source or proposed",
        "import, generation or none",
    ]


def test_evidence_may_tell_what_identifies_the_device():
    told = {"source": "captured", "request": "01", "response": "02", "values": {"v1": 1, "model_id": 103}}
    identify = {"what": "model ID", "function": "holding", "address": 9, "type": "u16"}
    assert load(variable(), identify=[identify], evidence=[told]).evidence[0].values == {"v1": 1, "model_id": 103}
    (fault,) = faults(variable(), evidence=[told])
    assert (fault.key, fault.found) == ("model_id", "an unknown variable")


def test_line_settings_come_from_serial_or_from_the_profile_section():
    serial = {"baud": 19200, "parity": "E", "stopbits": 1, "confidence": "documented", "note": "fixed"}
    profile = load(variable(), serial=serial)
    assert profile.serial == SerialDefaults(19200, "E", 1, 8, "documented")
    assert profile.settings["serial"] == serial
    own = {"baudrate": 9600, "bytesize": 8, "parity": "N", "stopbits": 2}
    assert load(variable(), profile=own).serial == SerialDefaults(9600, "N", 2, 8)
    assert load(variable()).serial is None


def test_what_a_device_bears_becomes_its_traits():
    bears = {
        "max_read_registers": 50,
        "max_registers": 64,
        "widest_hole": 0,
        "barriers": [200, 100],
        "min_gap_ms": 5,
        "answer_ms": 1000,
        "one_object_per_request": True,
        "settle_ms": 2000,
        "write_function": 16,
        "requests_in_flight": 4,
    }
    assert load(variable(), profile=bears).traits == Traits(50, 0, (100, 200), 0.005, 1.0, True, 2.0, True, 4)
    assert load(variable(), profile={"write_function": 6, "settle_ms": 0}).traits == Traits(settle_s=0.0)
    assert load(variable()).traits == Traits()


def test_what_only_a_dialect_understands_is_kept_as_settings():
    profile = load(
        variable(),
        profile={"default_id": 10, "key_register": 4104, "coil_on_value": 0xFF00, "alt_baudrates": [9600]},
        tcp={"port": 502, "unit_id": 1},
        sunspec={"bases": [40000], "address_base": "model", "models": [103], "marker": "SunS"},
    )
    assert profile.settings == {
        "default_id": 10,
        "key_register": 4104,
        "coil_on_value": 0xFF00,
        "alt_baudrates": [9600],
        "tcp": {"port": 502, "unit_id": 1},
        "sunspec": {"bases": [40000], "address_base": "model", "models": [103], "marker": "SunS"},
    }


def test_commands_keep_their_raw_values():
    commands = [
        {"name": "start", "function": "coil", "address": 3, "value": 0xFF00, "pulse_ms": 600},
        {
            "name": "stop",
            "function": "holding",
            "address": 4104,
            "value": [35700, 29835],
            "single_write": True,
            "support_register": 4096,
            "support_bit": 15,
            "result_address": 4207,
            "result_ok": 0x1FF,
            "note": "both at once",
        },
    ]
    start, stop = load(variable(), command=commands).commands
    assert start == Command("start", Function.COIL, 3, (0xFF00,), pulse_ms=600)
    assert stop == Command(
        "stop",
        Function.HOLDING,
        4104,
        (35700, 29835),
        single_write=True,
        result_address=4207,
        result_ok=0x1FF,
        support_register=4096,
        support_bit=15,
        note="both at once",
    )


def test_a_command_leads_to_what_its_file_says():
    plain = {"name": "stop", "function": "coil", "address": 1, "value": 0xFF00}
    commands = [{**plain, "leads_to": ["at rest", "engine moves"]}, {**plain, "name": "go"}]
    stop, go = load(variable(), command=commands).commands
    assert (stop.leads_to, go.leads_to) == ((Effect.AT_REST, Effect.ENGINE_MOVES), ())


def test_identify_tables_become_points_that_are_read_on_demand():
    profile = load(
        variable("model", unit="", kind="info"),
        identify=[
            {"what": "serial number (SN)", "function": "holding", "address": 50, "type": "string", "len": 8},
            {"what": "model name", "function": "holding", "address": 60, "type": "u16", "match": "71..73"},
            {"what": "Parity/stop index", "function": "input", "address": 61, "type": "u16", "note": "as set"},
        ],
    )
    _model, serial, second, other = profile.points
    assert (serial.name, serial.encoding, serial.count) == ("serial", "ascii16", 8)
    assert (second.name, second.match) == ("model_2", "71..73")
    assert (other.name, other.quantity.label, other.note) == ("parity_stop_index", "Parity/stop index", "as set")
    assert all(point.identifies for point in profile.points)
    assert [(point.polled, point.recorded) for point in (serial, second, other)] == [(False, False)] * 3


def test_evidence_keeps_frames_and_values():
    evidence = {
        "source": "documented, not captured",
        "request": "01 03\n00 00",
        "response": "0103",
        "values": {"v1": 230.1},
    }
    assert load(variable(), evidence=[evidence]).evidence == (
        Evidence("documented, not captured", b"\1\3\0\0", b"\1\3", {"v1": 230.1}),
    )


def test_all_faults_of_a_file_are_told_together():
    found = faults(
        variable("v1", unit="A", colour="red"),
        variable("v2", address="three"),
        variable("v3", type="u17"),
        profile={"class": 5, "barns": [1]},
        variables=[],
        command=[{"name": "go", "function": "input", "address": 1, "value": 70000}],
    )
    assert said(found) == [
        "m1.toml: variables: found an unknown section, expected one of its sections (did you mean variable?)",
        "m1.toml: [profile] class: found 5, expected a text",
        "m1.toml: [profile] barns: found an unknown key, expected one of its keys (did you mean barriers?)",
        "m1.toml: [variable[1] v1] colour: found an unknown key, expected one of its keys",
        'm1.toml: [variable[1] v1] unit: found "A", expected V, the unit of v1, or a multiple of it',
        'm1.toml: [variable[2] v2] address: found "three", expected a whole number from 0 to 65535',
        'm1.toml: [variable[3] v3] type: found "u17", expected an encoding (did you mean u16?)',
        'm1.toml: [command[1] go] function: found "input", expected coil or holding',
        "m1.toml: [command[1] go] value: found 70000, expected a whole number from 0 to 65535, or a list of them",
    ]


@pytest.mark.parametrize("missing", ["type", "brand", "class", "series", "models"])
def test_an_identity_with_a_part_missing_is_a_fault(missing):
    document = {key: value for key, value in IDENTITY.items() if key != missing}
    lines = "\n".join(f"{key} = {value!r}" for key, value in document.items())
    source = f"[profile]\n{lines}\n[[variable]]\nname='v1'\nunit='V'\nfunction='holding'\naddress=0\ntype='u16'\n"
    (fault,) = faults_of(source)
    assert (fault.section, fault.key, fault.found) == ("profile", missing, "nothing")


def test_a_file_without_its_sections_says_which():
    assert said(faults_of("")) == [
        "m1.toml: profile: found nothing, expected [profile]",
        "m1.toml: variable: found nothing, expected at least one [[variable]]",
    ]


def test_what_is_no_toml_is_one_fault():
    (fault,) = faults_of("[profile\n")
    assert fault.expected == "TOML"
    assert "line 1" in fault.found


def test_a_file_that_cannot_be_read_is_a_fault_of_that_file(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b"\xff\xfe")
    for name in ("absent.toml", "latin.toml"):
        with pytest.raises(ProfileError) as caught:
            load_profile(tmp_path / name, "a/b")
        assert caught.value.faults[0].file == str(tmp_path / name)


def test_enums_are_numbers_to_texts():
    mode = variable("mode", unit="", enum="mode")
    assert load(mode, enum={"mode": {"0": "stop", "0x10": "auto"}}).points[0].enum == {0: "stop", 16: "auto"}
    assert said(faults(mode, enum={"mood": {"x": "stop", "1": 2}})) == [
        "m1.toml: [enum.mood] x: found a key that is no number, expected a whole number",
        "m1.toml: [enum.mood] 1: found 2, expected a text",
        'm1.toml: [variable[1] mode] enum: found "mode", expected the name of an [enum.…] section (did you mean mood?)',
    ]


def test_evidence_that_is_no_evidence_is_a_fault():
    evidence = {"source": "x", "request": "0g", "response": "01", "values": {"v2": 1, "v1": True}}
    assert said(faults(variable(), evidence=[evidence])) == [
        'm1.toml: [evidence[1]] request: found "0g", expected bytes in hexadecimal',
        "m1.toml: [evidence[1]] v2: found an unknown variable, expected one of the file's (did you mean v1?)",
        "m1.toml: [evidence[1]] v1: found true, expected a number or a text",
    ]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_SOME_KEYS = st.sampled_from([*LISTS["variable"], *LISTS["read"], *LISTS["evidence"], *LISTS["identify"], "value"])
_TABLES = st.dictionaries(_SOME_KEYS, _VALUES | st.sampled_from(["holding", "coil", "u16", "f32", "V", "v1", 1]))
_SECTIONS = st.sampled_from(
    ["profile", "variable", "read", "command", "evidence", "identify", "enum", "serial", "tcp", "sunspec", "other"]
)


@given(st.dictionaries(_SECTIONS, _VALUES | _TABLES | st.lists(_TABLES, max_size=3)), st.lists(_TABLES, max_size=2))
@settings(max_examples=300, deadline=None)
def test_any_document_gives_a_profile_or_its_faults(document, tables):
    whole = [variable(), *({**variable("v2", address=5), **table} for table in tables)]
    document = {"profile": IDENTITY, "variable": whole, **_without_none(document)}
    try:
        parse_profile(tomlkit.dumps(_without_none(document)), "a/b")
    except ProfileError as error:
        assert error.faults


def _without_none(value):
    """The value as TOML can write it."""
    if isinstance(value, dict):
        return {key or "x": _without_none(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_none(inner) for inner in value if inner is not None]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-(2**63), min(2**63 - 1, value))
    return value


def test_the_text_of_a_file_is_all_that_matters():
    source = text([variable()])
    assert parse_profile(source, "a/b") == parse_profile(source, "a/b")
