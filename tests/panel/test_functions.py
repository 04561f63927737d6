import pytest

from concentrator.panel.functions import (
    ALARMS,
    Circumstances,
    InputFunction,
    OutputFunction,
    Traffic,
    is_wanted,
    traffic,
)

CAUSES = {
    OutputFunction.INPUT_1: Circumstances(inputs=(True, False)),
    OutputFunction.INPUT_2: Circumstances(inputs=(False, True)),
    OutputFunction.RS485_FAIL: Circumstances(is_rs485_failing=True),
    OutputFunction.NETWORK_FAIL: Circumstances(is_network_failing=True),
    OutputFunction.LINK_FAIL: Circumstances(is_link_failing=True),
    OutputFunction.RS232_FAIL: Circumstances(is_rs232_failing=True),
    OutputFunction.COMMON_ALARM: Circumstances(is_alarmed=True),
    OutputFunction.REMOTE_CONTROL: Circumstances(is_commanded=True),
}


def test_the_forms_of_the_manual_are_there_in_their_order():
    assert list(OutputFunction) == [OutputFunction.MANUAL, *CAUSES]
    assert [function for function in InputFunction if function in ALARMS] == list(InputFunction)[3:6]


@pytest.mark.parametrize("function", CAUSES)
def test_an_output_is_on_for_its_own_cause_and_for_no_other(function):
    assert [cause for cause, now in CAUSES.items() if is_wanted(function, now)] == [function]
    assert not is_wanted(function, Circumstances())


@pytest.mark.parametrize("function", CAUSES)
def test_while_the_ports_are_tested_every_output_with_a_function_is_on(function):
    assert is_wanted(function, Circumstances(is_tested=True))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], Traffic.UNUSED),
        ([(False, [])], Traffic.UNUSED),
        ([(True, [])], Traffic.UNUSED),
        ([(False, ["new"])], Traffic.BEGINNING),
        ([(False, ["answering"])], Traffic.FLOWING),
        ([(False, ["doubtful", "new"])], Traffic.FLOWING),
        ([(False, ["answering", "silent"])], Traffic.FAILING),
        ([(True, ["answering"])], Traffic.FAILING),
        ([(False, ["answering"]), (False, ["silent"])], Traffic.FAILING),
        ([(False, ["answering"]), (True, [])], Traffic.FLOWING),
    ],
)
def test_talk_fails_where_a_used_line_is_not_there_or_a_device_on_it_is_silent(lines, said):
    assert traffic(lines) is said
