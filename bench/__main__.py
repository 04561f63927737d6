"""`python -m bench [NAME…]`: runs the benches of those names, or all, and prints what came out."""

from __future__ import annotations

import argparse
import json
import sys
from types import ModuleType
from typing import Any

import attrs

from bench import (
    box,
    bus,
    catalogue,
    codec,
    cpu,
    dead,
    forty,
    full,
    gateway,
    mqtt,
    portal,
    slave,
    store,
    tcp,
    wear,
    whole_path,
)

BENCHES: dict[str, ModuleType] = {
    "bus": bus,
    "cpu": cpu,
    "forty": forty,
    "dead": dead,
    "full": full,
    "tcp": tcp,
    "codec": codec,
    "catalogue": catalogue,
    "store": store,
    "wear": wear,
    "box": box,
    "mqtt": mqtt,
    "gateway": gateway,
    "slave": slave,
    "portal": portal,
    "whole": whole_path,
}
"""Each has `measured(repetitions, told)`, which gives its results, and `report(results)`, which puts them in words."""


def main() -> int:
    """Runs what is asked for; repetitions are interleaved, so that a busy moment of the machine meets everybody."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHES)} (all of them)")
    parser.add_argument("--repetitions", type=int, default=3, metavar="N", help="how often each is measured (3)")
    parser.add_argument("--json", action="store_true", help="print every run as JSON in place of the tables")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"found {unknown[0]}, expected one of {', '.join(BENCHES)}")
    results = {}
    for name in options.names or BENCHES:
        runs = _measured(name, options.repetitions)
        results[name] = [attrs.asdict(run) for run in runs]
        if not options.json:
            print(BENCHES[name].report(runs), end="\n\n\n", flush=True)
    if options.json:
        print(json.dumps(results, indent=1))
    return 0


def _measured(name: str, repetitions: int) -> list[Any]:
    def told(step: str) -> None:
        print(f"\r{name}: {step}".ljust(60), end="", file=sys.stderr, flush=True)

    results: list[Any] = BENCHES[name].measured(repetitions, told)
    print("\r".ljust(61), end="\r", file=sys.stderr, flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main())
