"""What the configuration file may say of the front of the box: its scheme, what its inputs do (CMM365-2G manual, Forms
1 and 2), and what has its outputs on (Form 3); and the rules that need more than one key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from concentrator.app.rule import choice, duration, listed, text, written
from concentrator.app.setting import Faults, setting
from concentrator.model.features import FEATURES
from concentrator.model.latency import format_duration
from concentrator.model.words import nearest

if TYPE_CHECKING:
    from concentrator.app.config_sections import Config

USUAL = "usual"
"""The function of an input that the file leaves to the scheme."""
INPUTS = ("1", "2")
_LINE = r"[A-Za-z0-9_-]+"


@frozen
class PanelSection:
    """The front of the box."""

    board: str = setting(
        choice("virtual"),
        "virtual",
        "What its lights, outputs and inputs are made of; a virtual one is there on the Panel page only.",
    )
    scheme: str = setting(
        choice("ccmaster", "cmm365"),
        "ccmaster",
        "Whose lights it has and whose button: the CcMaster's, or those of SmartGen's cloud module CMM365.",
    )
    link_lines: tuple[str, ...] = setting(
        listed(text("the name of a line", _LINE)),
        [],
        "The lines at the LINK port, which its light and the output function `link_fail` are about.",
    )
    rs232_lines: tuple[str, ...] = setting(
        listed(text("the name of a line", _LINE)),
        [],
        "The lines at an RS-232 port, which the output function `rs232_fail` is about. All other lines that speak "
        "Modbus RTU count as RS-485.",
    )


@frozen
class InputSection:
    """A digital input, `[input.1]` or `[input.2]`: what it does when it is active. Without the section it is as its
    keys are by default."""

    function: str = setting(
        choice(
            USUAL,
            "none",
            "lamp_test",
            "remote_inhibit",
            "access_alarm",
            "fire_alarm",
            "external_alarm",
            "factory_test",
        ),
        USUAL,
        "What it does: `lamp_test` has all lights on; `remote_inhibit` has every command to a genset from afar "
        "refused; the alarms go out at once; `factory_test` has all lights on and every output that has a function. "
        "`usual` is none, but of input 2 with the scheme `cmm365` the lamp test.",
    )
    active: str = setting(choice("closed", "open"), "closed", "Which way its contact is when it is active.")
    delay_s: float = setting(
        duration(0, 20), "0 s", "For how long the contact must be that way before the input is active.", key="delay"
    )

    def told(self) -> str:
        """What it would do, in a line; empty where it does nothing of its own."""
        if self.function in (USUAL, "none"):
            return ""
        after = f" for {format_duration(self.delay_s)}" if self.delay_s else ""
        return f"{self.function.replace('_', ' ')} while its contact is {self.active}{after}"


@frozen
class OutputSection:
    """A relay, `[output.relay1]` or `[output.relay2]`, as far as the model has them: what has it on."""

    function: str = setting(
        choice(
            "manual",
            "input1",
            "input2",
            "rs485_fail",
            "network_fail",
            "link_fail",
            "rs232_fail",
            "common_alarm",
            "remote_control",
        ),
        "manual",
        "`manual`: it is as somebody set it. Otherwise it is on while an input is active; while the talk has failed "
        "for 10 s with a device on the lines of that sort, or with a server; while a genset or an input has an alarm; "
        "for 20 s after a command of a cloud server.",
    )

    def told(self) -> str:
        """What it would do, in a line; empty where it is set by hand."""
        return "" if self.function == "manual" else f"on for {self.function.replace('_', ' ')}"


def panel_names_what_is_there(config: Config, faults: Faults) -> None:
    """Inputs are `[input.1]` and `[input.2]`, outputs the relays of the model; `link_lines` and `rs232_lines` name
    lines of the file, none of them twice."""
    for name in config.services.get("input", {}):
        if name not in INPUTS:
            faults.add(f"input.{name}", "", "an unknown input", "[input.1] or [input.2]")
    if faults.are_readable("box", "model"):
        relays = [f"relay{number}" for number in range(1, FEATURES[config.box.model].relays + 1)]
        for name in config.services.get("output", {}):
            if name not in relays:
                expected = f"one of {', '.join(relays)}" if relays else f"none, for a {config.box.model} has no relays"
                faults.add(f"output.{name}", "", "an unknown output", expected, nearest(name, relays))
    seen: set[str] = set()
    for key in ("link_lines", "rs232_lines"):
        if faults.are_readable("panel", key):
            for name in getattr(config.panel, key):
                if name not in config.lines:
                    known = ", ".join(config.lines) or "none, for there is no section [line.NAME]"
                    faults.add("panel", key, written(name), f"one of {known}", nearest(name, config.lines))
                elif name in seen:
                    faults.add("panel", key, f"{written(name)} a second time", "each line once")
                seen.add(name)
