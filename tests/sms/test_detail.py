"""concentrator.sms.detail: what SMS DETAIL answers."""

from concentrator.app.config_sms import ITEMS as ITEMS_OF_THE_FILE
from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.sms.detail import ITEMS, detail

UNITS = {"mains_v1": "V", "gen_v12": "V", "i1": "A", "mains_frequency": "Hz", "p": "kW", "coolant_temp": "°C"}
UNITS |= {"oil_pressure": "bar", "oil_level": "%", "speed": "r/min", "run_hours": "h", "battery_voltage": "V"}
STATUS = GensetStatus(
    mode=Mode.AUTO,
    is_running=True,
    alarm=Alarm.WARNING,
    engine="normal running",
    alarms=("low battery", "fuel low"),
    details={
        "mains_v1": 230.04,
        "mains_v2": 231,
        "mains_v3": 229.96,
        "gen_v12": 400.0,
        "i1": 12.3,
        "i2": 0,
        "i3": None,
        "mains_frequency": 50.02,
        "p": 1234.5,
        "pf": 0.987,
        "coolant_temp": 81,
        "oil_level": 70,
        "speed": 1500,
        "run_hours": 123456.7,
        "battery_voltage": 27.3,
    },
    units=UNITS,
)


def test_all_items_stand_on_one_line_in_the_manuals_order():
    assert detail(STATUS, ITEMS) == (
        "MODE AUTO, MAINS 230/231/230 V, GEN 400 V, LOAD 12.3/0 A, MAINS 50.02 Hz, P 1234.5 kW, PF 0.99, "
        "BATTERY 27.3 V, WATER 81 °C, LEVEL 70 %, SPEED 1500 r/min, RUN 123457 h, GENSET RUNNING (normal running), "
        "ALARM WARNING: low battery, fuel low"
    )


def test_items_are_chosen_and_ordered():
    assert detail(STATUS, ("speed", "mode")) == "SPEED 1500 r/min, MODE AUTO"
    assert detail(STATUS, ()) == ""


def test_what_the_controller_does_not_measure_is_left_out():
    assert detail(GensetStatus(), ITEMS) == "MODE UNKNOWN, GENSET UNKNOWN, ALARM UNKNOWN"


def test_the_files_items_are_all_there_are():
    assert ITEMS == ITEMS_OF_THE_FILE and len(ITEMS) == 18
