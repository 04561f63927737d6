"""What inputs and outputs are for: the functions they can be given (CMM365-2G manual, Forms 2 and 3), and when an
output that has one is on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from attrs import frozen

INPUTS = 2


class InputFunction(StrEnum):
    """What an input does when it is active; in the order of Form 2: 0 to 5, and 9."""

    NONE = "none"
    LAMP_TEST = "lamp_test"
    REMOTE_INHIBIT = "remote_inhibit"
    ACCESS_ALARM = "access_alarm"
    FIRE_ALARM = "fire_alarm"
    EXTERNAL_ALARM = "external_alarm"
    FACTORY_TEST = "factory_test"


ALARMS: Mapping[InputFunction, str] = {
    InputFunction.ACCESS_ALARM: "access",
    InputFunction.FIRE_ALARM: "fire",
    InputFunction.EXTERNAL_ALARM: "external",
}
"""The functions that raise an alarm, each with what it is called in events."""

LIGHTING = (InputFunction.LAMP_TEST, InputFunction.FACTORY_TEST)
"""The functions by which every light is on."""


class OutputFunction(StrEnum):
    """What has an output on; in the order of Form 3: 0 to 8. By hand, it is as somebody set it."""

    MANUAL = "manual"
    INPUT_1 = "input1"
    INPUT_2 = "input2"
    RS485_FAIL = "rs485_fail"
    NETWORK_FAIL = "network_fail"
    LINK_FAIL = "link_fail"
    RS232_FAIL = "rs232_fail"
    COMMON_ALARM = "common_alarm"
    REMOTE_CONTROL = "remote_control"


REMOTE_S = 20.0
"""For how long an output is on after a command from afar (Form 3, 8)."""


class Traffic(StrEnum):
    """How the talk on a sort of lines goes. unused: nobody is there to talk to; beginning: nobody knows yet; failing:
    a line is not there, or somebody on it is silent; flowing: everybody answers."""

    UNUSED = "unused"
    BEGINNING = "beginning"
    FAILING = "failing"
    FLOWING = "flowing"


def traffic(lines: Iterable[tuple[bool, Sequence[str]]]) -> Traffic:
    """How the talk on some lines goes; of each: whether something is wrong with the line itself, and how each device on
    it does, in the words of `api.DeviceState.health`. A line without devices does not count."""
    used = [(is_broken, healths) for is_broken, healths in lines if healths]
    if not used:
        return Traffic.UNUSED
    if any(is_broken or "silent" in healths for is_broken, healths in used):
        return Traffic.FAILING
    every = {health for _, healths in used for health in healths}
    return Traffic.BEGINNING if every == {"new"} else Traffic.FLOWING


@frozen
class Circumstances:
    """What outputs depend on: which inputs are active, whether the talk fails on lines of each sort and with the
    servers, whether there is an alarm, a command came from afar just now, and the ports are being tested."""

    inputs: Sequence[bool] = ()
    is_rs485_failing: bool = False
    is_network_failing: bool = False
    is_link_failing: bool = False
    is_rs232_failing: bool = False
    is_alarmed: bool = False
    is_commanded: bool = False
    is_tested: bool = False


_WANTED: Mapping[OutputFunction, Callable[[Circumstances], bool]] = {
    OutputFunction.INPUT_1: lambda now: any(now.inputs[:1]),
    OutputFunction.INPUT_2: lambda now: any(now.inputs[1:2]),
    OutputFunction.RS485_FAIL: lambda now: now.is_rs485_failing,
    OutputFunction.NETWORK_FAIL: lambda now: now.is_network_failing,
    OutputFunction.LINK_FAIL: lambda now: now.is_link_failing,
    OutputFunction.RS232_FAIL: lambda now: now.is_rs232_failing,
    OutputFunction.COMMON_ALARM: lambda now: now.is_alarmed,
    OutputFunction.REMOTE_CONTROL: lambda now: now.is_commanded,
}


def is_wanted(function: OutputFunction, now: Circumstances) -> bool:
    """Whether an output with that function is on; each is, while an input has the ports tested. One that is set by hand
    is none of this: KeyError."""
    return _WANTED[function](now) or now.is_tested
