"""The command line's simulator: `ccmaster sim`."""

from __future__ import annotations

import argparse

from concentrator.app.cli_parts import Commands, command, takes_json
from concentrator.app.simulate_options import add_at_options, add_cloud_options, add_options


def add_sim_command(commands: Commands) -> None:
    """Declares it."""
    sim = command(commands, "sim", _sim, "play meters, inverters, analysers, gensets for others to read", _EXAMPLES)
    add_options(sim)
    takes_json(sim)
    kinds = sim.add_subparsers(title="other peers", metavar="KIND", required=False)
    modem = command(kinds, "at-modem", _at_modem, "play a modem that speaks AT, with its SIM and network", _AT_EXAMPLES)
    add_at_options(modem)
    cloud = command(kinds, "smartgen-cloud", _cloud, "play a SmartGen cloud server for gensets", _CLOUD_EXAMPLES)
    add_cloud_options(cloud)


def _sim(options: argparse.Namespace) -> int:
    from concentrator.app.simulate import run

    return run(options)


def _at_modem(options: argparse.Namespace) -> int:
    from concentrator.app.simulate_at import run_at_modem

    return run_at_modem(options)


def _cloud(options: argparse.Namespace) -> int:
    from concentrator.app.simulate_cloud import run_smartgen_cloud

    return run_smartgen_cloud(options)


_EXAMPLES = """
    ccmaster sim --profile goodwe/et --profile eastron/sdm630@3-5     (a serial port, with true byte times)
    ccmaster sim --profile sungrow/sg@1 --tcp 1502
    ccmaster sim --profile acme/a3 --dir my-plugins --link /tmp/bus
    ccmaster sim --meters 8                                           (native meters)
"""
_AT_EXAMPLES = """
    ccmaster sim at-modem --link /tmp/modem       (then type: receive +861366666666 SMS GENSET)
    ccmaster sim at-modem --no-echo --registers-after 30
"""
_CLOUD_EXAMPLES = """
    ccmaster sim smartgen-cloud                     (then type: write 00050003FF007DEB, or reset)
    ccmaster sim smartgen-cloud --manner sloppy
"""
