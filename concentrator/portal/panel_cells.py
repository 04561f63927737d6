"""The front of the box as cells: its lights with their words, its outputs and inputs. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from concentrator.api import OutputState, PanelState
from concentrator.portal.numbers import GAP, fixed
from concentrator.portal.words import Say

PANEL_TOPIC = ":panel"


def light_cells(panel: PanelState, say: Say) -> dict[str, Mapping[str, object]]:
    """The lights that every page has at its top: what they mean, and the pattern they go in. Where all of them show one
    thing together, that is what they mean."""
    return {
        f":light.{name}": {"text": say(f"light.{panel.showing or f'{name}_{pattern}'}"), "health": str(pattern)}
        for name, pattern in panel.lights.items()
    }


def panel_cells(panel: PanelState, say: Say, language: str) -> dict[str, Mapping[str, object]]:
    """What the Panel page has besides."""
    cells: dict[str, Mapping[str, object]] = {
        f":pattern.{name}": {"text": say(f"light.{pattern}")} for name, pattern in panel.lights.items()
    }
    for output in panel.outputs:
        health = "up" if output.value else "idle"
        cells[f":output.{output.name}"] = {"text": output_words(output, say, language), "health": health}
    for number, each in enumerate(panel.inputs, 1):
        said = say("panel.active" if each.is_active else "panel.inactive")
        cells[f":input.{number}"] = {"text": said, "health": "up" if each.is_active else "idle"}
    return cells


def output_words(output: OutputState, say: Say, language: str) -> str:
    """The state of an output in words: on, off, or volts."""
    if isinstance(output.value, bool):
        return say("panel.on" if output.value else "panel.off")
    return f"{fixed(output.value, 1, language)}{GAP}V"
