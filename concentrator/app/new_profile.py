"""A new profile file to begin with: what is asked of whoever makes it, and the file that comes of the answers, which
says of every part what belongs there and is right as it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from concentrator.model.errors import Fault, ProfileError
from concentrator.profile.json_schema import profile_schema_text

SCHEMA_FILE = "profile.schema.json"
_KEY = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*")

QUESTIONS: Mapping[str, tuple[str, str]] = {
    "type": ("what it is: meter, analyser, inverter or genset", "analyser"),
    "brand": ("its brand, as people write it", ""),
    "class": ("its class: single-phase, three-phase, string, hybrid", "three-phase"),
    "series": ("its series: what all models of one register map have in common", ""),
    "models": ("its models, separated by commas", ""),
    "sources": ("where the register map comes from: document and edition", "the maker's register map"),
}
"""What a profile must say, each with the question and the usual answer; without one it follows from the key."""

_TEXT = """\
#:schema ../{schema}
# `ccmaster profiles check {file}` says all that is wrong with this file; docs/adding-a-device.md tells the rest.

[profile]
type = {type}
brand = {brand}
class = {class}
series = {series}
models = {models}
status = "single-source"           # verified, cross-checked, single-source or proposed
sign = {sign}                    # what a positive power means: import, generation, or none where it is not told
sources = {sources}
doubts = ["nothing here was compared with a device yet"]
# max_read_registers = 50          # the longest read it answers, where that is less than 125
# default_id = 1                   # the Modbus ID it leaves the factory with

[serial]                           # how it leaves the factory; [tcp] with port and unit_id where it has a network
baud = 9600
parity = "N"
stopbits = 1

# [[identify]]                     # how a scan recognises it
# what = "model code"
# function = "holding"
# address = 11
# type = "u16"
# match = "71..73"

[[variable]]                       # one section each; delete what the device has not, add what it has
name = "v1"                        # a name of the table, docs/devices.md has them all
unit = "V"                         # the unit of the registers: mV, kW or Wh are converted
function = "holding"               # holding (03) or input (04)
address = 0                        # counted from 0, as sent on the wire
type = "u16"                       # u16 s16 u32 s32 u64 s64 f32 f64 …
scale = 0.1

[[variable]]
name = "p"
unit = "W"
function = "holding"
address = 1
type = "s32"
# order = "little-word"            # where the low word comes first
# scale = -1                       # where the device counts the other direction positive

[[variable]]
name = {energy}
unit = "Wh"
function = "holding"
address = 3
type = "u32"
"""


def answers(key: str, given: Mapping[str, str | None], ask: Callable[[str, str], str] | None) -> dict[str, str]:
    """What is `given`, and what `ask(question, usual)` makes of the rest; without it, the usual answers."""
    brand, _, series = key.partition("/")
    usual = {"brand": brand.title(), "series": series.upper(), "models": series.upper()}
    found = {}
    for name, (question, answer) in QUESTIONS.items():
        answer = answer or usual[name]
        told = given.get(name)
        found[name] = told if told is not None else (ask(question, answer) or answer if ask else answer)
    return found


def new_profile(folder: Path, key: str, said: Mapping[str, str]) -> Path:
    """Writes the file `key`.toml below a folder, and the format's JSON Schema beside it for editors; gives its path.
    Raises ProfileError where the key is none or the file is there already."""
    path = folder / f"{key}.toml"
    if not _KEY.fullmatch(key):
        expected = "BRAND/SERIES: small letters, digits and hyphens"
        raise ProfileError([Fault("new profile", "", "", json.dumps(key), expected)])
    if path.exists():
        raise ProfileError([Fault(str(path), "", "", "a file", "none yet")])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_written(path, said), encoding="utf-8")
    (folder / SCHEMA_FILE).write_text(profile_schema_text(), encoding="utf-8")
    return path


def _written(path: Path, said: Mapping[str, str]) -> str:
    is_producer = said["type"] in ("inverter", "genset")
    values: dict[str, object] = dict(said)
    for name in ("models", "sources"):
        values[name] = [each.strip() for each in said[name].split(",") if each.strip()]
    values["sign"] = "generation" if is_producer else "import"
    values["energy"] = "e_total" if is_producer else "ea_imp"
    texts = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    return _TEXT.format(schema=SCHEMA_FILE, file=path, **texts)
