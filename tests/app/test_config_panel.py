import pytest
from attrs import evolve

from concentrator.app.config import load
from concentrator.app.config_panel import InputSection, OutputSection, PanelSection
from concentrator.app.rule import Mismatch
from concentrator.app.setting import settings_of
from concentrator.app.settings import effective
from concentrator.model.errors import ConfigError
from concentrator.panel.functions import InputFunction, OutputFunction
from concentrator.panel.lights import Scheme

TEXT = """
[box]
model = "PRO"
state_dir = "state"

[line.native]
endpoint = "serial:/dev/ttyUSB0:baudrate=9600"
role = "spare"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "ccmaster.toml"

    def write(text):
        path.write_text(TEXT + text)
        return path

    return write


def faults(path):
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [str(fault).removeprefix(f"{path}: ") for fault in caught.value.faults]


def rule_of(section, key):
    return next(each.rule for each in settings_of(section) if each.key == key)


def test_the_file_names_the_functions_that_the_panel_has():
    assert [rule_of(PanelSection, "scheme").read(each) for each in Scheme] == list(Scheme)
    assert [rule_of(InputSection, "function").read(each) for each in InputFunction] == list(InputFunction)
    assert [rule_of(OutputSection, "function").read(each) for each in OutputFunction] == list(OutputFunction)


def test_without_a_word_a_front_is_a_ccmasters_with_outputs_set_by_hand(file):
    config = load(file(""))
    assert (config.panel, config.services) == (PanelSection(), {})
    assert (config.panel.scheme, InputSection().function, OutputSection().function) == ("ccmaster", "usual", "manual")


def test_inputs_and_outputs_are_as_the_file_has_them(file):
    config = load(
        file("""
[panel]
scheme = "cmm365"
link_lines = ["native"]
[input.1]
function = "fire_alarm"
active = "open"
delay = "2.5 s"
[output.relay2]
function = "rs485_fail"
""")
    )
    assert config.panel == PanelSection(scheme="cmm365", link_lines=("native",))
    assert config.services["input"] == {"1": InputSection("fire_alarm", "open", 2.5)}
    assert config.services["output"] == {"relay2": OutputSection("rs485_fail")}


@pytest.mark.parametrize(("delay", "is_right"), [("0 s", True), ("20 s", True), ("20.1 s", False), ("-1 s", False)])
def test_a_delay_is_at_most_twenty_seconds(delay, is_right):
    rule = rule_of(InputSection, "delay")
    if is_right:
        assert rule.read(delay) == float(delay.split()[0])
    else:
        with pytest.raises(Mismatch):
            rule.read(delay)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[input.3]", "[input.3]: found an unknown input, expected [input.1] or [input.2]"),
        (
            "[output.relay3]",
            "[output.relay3]: found an unknown output, expected one of relay1, relay2 (did you mean relay2?)",
        ),
        (
            '[panel]\nlink_lines = ["nativ"]',
            '[panel] link_lines: found "nativ", expected one of native (did you mean native?)',
        ),
        (
            '[panel]\nlink_lines = ["native"]\nrs232_lines = ["native"]',
            '[panel] rs232_lines: found "native" a second time, expected each line once',
        ),
    ],
)
def test_what_is_not_there_is_a_fault(file, text, said):
    assert faults(file(text)) == [said]


def test_a_model_without_relays_has_no_output_to_configure(tmp_path):
    path = tmp_path / "ccmaster.toml"
    path.write_text('[box]\nmodel = "Lite"\n[output.relay1]\n')
    assert faults(path) == [
        "[output.relay1]: found an unknown output, expected none, for a Lite has no relays",
    ]


@pytest.mark.parametrize(
    ("section", "told"),
    [
        (InputSection(), ""),
        (InputSection("none"), ""),
        (InputSection("fire_alarm"), "fire alarm while its contact is closed"),
        (InputSection("access_alarm", "open", 5.0), "access alarm while its contact is open for 5 s"),
        (OutputSection(), ""),
        (OutputSection("common_alarm"), "on for common alarm"),
    ],
)
def test_a_check_says_what_they_would_do(section, told):
    assert section.told() == told


def test_all_of_it_takes_effect_while_the_box_runs(file):
    before = load(file(""))
    after = load(file('[panel]\nscheme = "cmm365"\n[input.1]\nfunction = "lamp_test"'))
    assert effective(before, after) == evolve(before, panel=after.panel, services=after.services)
