"""The command line's simulator: `ccmaster sim`."""

from __future__ import annotations

import argparse

from concentrator.app.cli_parts import Commands, command, takes_json
from concentrator.app.simulate_options import add_options


def add_sim_command(commands: Commands) -> None:
    """Declares it."""
    sim = command(commands, "sim", _sim, "play meters, inverters and analysers that others can read", _EXAMPLES)
    add_options(sim)
    takes_json(sim)


def _sim(options: argparse.Namespace) -> int:
    from concentrator.app.simulate import run

    return run(options)


_EXAMPLES = """
    ccmaster sim --profile goodwe/et --profile eastron/sdm630@3-5     (a serial port, with true byte times)
    ccmaster sim --profile sungrow/sg@1 --tcp 1502
    ccmaster sim --profile acme/a3 --dir my-plugins --link /tmp/bus
    ccmaster sim --meters 8                                           (native meters)
"""
