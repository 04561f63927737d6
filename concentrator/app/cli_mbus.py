"""The command about M-Bus: searching a line for meters, reading one, telling one or all of them something, decoding a
telegram somebody has as bytes. A line that the running box holds is asked through it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from concentrator.app.cli_parts import (
    DONE,
    FAILED,
    INTERRUPTED,
    Commands,
    as_json,
    command,
    command_of_several,
    complain,
    count_of,
    outcome_told,
    show,
    show_done,
    state_dir,
    takes_config,
    takes_json,
    takes_name,
    wrong,
)


def add_mbus_command(commands: Commands) -> None:
    """Adds it to the parser's."""
    summary = "search an M-Bus for meters, read one, decode a telegram"
    nested = command_of_several(commands, "mbus", summary, _EXAMPLES)
    search = command(nested, "search", _search, "look for meters on an M-Bus", _SEARCH_EXAMPLES)
    read = command(nested, "read", _read, "read a meter, whether it is configured or not", _READ_EXAMPLES)
    for each in (search, read):
        takes_name(each, "place", "lines", "name", "a line, or serial:PATH, or tcp:HOST:PORT", metavar="LINE")
    search.add_argument("--primary", action="store_true", help="ask the primary addresses 0 to 250, one by one")
    search.add_argument("--mask", default="", metavar="DIGITS", help="only secondary addresses like 12FFFFFF")
    read.add_argument("address", metavar="ADDRESS", help="primary (0 to 250) or secondary (12345678)")
    for each in (search, read):
        each.add_argument("--baudrate", type=count_of, metavar="N", help="bits per second, not the line's own")
        each.add_argument("--while-polling", action="store_true", help="have the running box do it")
        takes_config(each)
        takes_json(each)
    given = command(nested, "set-address", _set_address, "give a meter another primary address", _ADDRESS_EXAMPLES)
    takes_name(given, "place", "lines", "name", "a line of the running box", metavar="LINE")
    given.add_argument("address", metavar="ADDRESS", help="its primary address of now, or its secondary one")
    given.add_argument("primary", type=count_of, metavar="NEW", help="its new primary address, 1 to 250")
    again = command(nested, "reset", _reset, "have a meter's application begin anew", _RESET_EXAMPLES)
    takes_name(again, "place", "lines", "name", "a line of the running box", metavar="LINE")
    again.add_argument("address", metavar="ADDRESS", help="its primary address, or its secondary one")
    tuned = command(nested, "set-speed", _set_speed, "give a line and all its meters another speed", _SPEED_EXAMPLES)
    takes_name(tuned, "place", "lines", "name", "a line of the running box", metavar="LINE")
    tuned.add_argument("baudrate", type=count_of, metavar="N", help="bits per second, 300 to 38400")
    for each in (given, again, tuned):
        takes_config(each)
        takes_json(each)
    decode = command(nested, "decode", _decode, "decode a telegram", _DECODE_EXAMPLES)
    decode.add_argument("hex", nargs="+", metavar="HEX", help="its bytes, from 68 to 16; - to read them")
    takes_json(decode)


def _search(options: argparse.Namespace) -> int:
    from concentrator.actions.mbus import place_of
    from concentrator.app.mbus import port_of, search_alone, search_through
    from concentrator.app.mbus_told import found_lines
    from concentrator.app.progress import Bar
    from concentrator.wire.mbus_address import ANYBODY

    if options.primary and options.mask:
        wrong("--mask goes with secondary addresses")
    mask = place_of(options.mask).selected if options.mask else ANYBODY
    if mask is None:
        wrong(f"--mask: found {options.mask}, expected eight digits, F for any")
    bar = Bar(sys.stderr)
    if options.while_polling:
        if options.baudrate:
            wrong("--while-polling leaves the line's settings as they are")
        outcome = search_through(state_dir(options), options.place, options.primary, options.mask, bar)
    else:
        port = port_of(options.place, options.config, options.baudrate)
        outcome = search_alone(port, options.primary, mask, bar)
    bar.end()
    return outcome_told(outcome, found_lines, options.json)


def _read(options: argparse.Namespace) -> int:
    from concentrator.actions.mbus import place_of
    from concentrator.app.control import act
    from concentrator.app.mbus import port_of, read_alone
    from concentrator.app.mbus_told import said_lines

    place = place_of(options.address)
    if options.while_polling:
        found = act(state_dir(options), "mbus.read", line=options.place, address=options.address)
    else:
        found = read_alone(port_of(options.place, options.config, options.baudrate), place)
    show(as_json(found) if options.json else said_lines(found))
    return DONE


def _set_address(options: argparse.Namespace) -> int:
    def lines(done: dict[str, Any]) -> Iterator[str]:
        who = f"{done['uid']} ({done['address'] or 'it does not say who it is'})"
        yield f"{who} answers at primary address {done['primary']}"

    asked = {"line": options.place, "address": options.address, "primary": options.primary}
    return show_done(options, "mbus.set_address", lines, **asked)


def _reset(options: argparse.Namespace) -> int:
    asked = {"line": options.place, "address": options.address}
    return show_done(options, "mbus.reset", lambda done: [f"{done['uid']} begins anew"], **asked)


def _set_speed(options: argparse.Namespace) -> int:
    from concentrator.app.control import act
    from concentrator.app.progress import Bar
    from concentrator.app.scan import awaited

    bar, state = Bar(sys.stderr), state_dir(options)
    id = act(state, "mbus.set_speed", line=options.place, baudrate=options.baudrate)["task"]
    task = awaited(state, id, lambda task: bar.tell(task["progress"], task["text"]))
    bar.end()
    done = task["result"]
    if task["state"] == "done":
        who = f"{done['line']} and {', '.join(done['meters'])}"
        show(as_json(done) if options.json else [f"{who} talk at {done['baudrate']} bits per second"])
        return DONE
    error = task["error"]
    complain([f"ccmaster: {error['message'] if error else 'given up; all go back to the speed they had'}"])
    return FAILED if error else INTERRUPTED


def _decode(options: argparse.Namespace) -> int:
    from concentrator.app.mbus_told import said_lines, told
    from concentrator.wire.mbus_record import telegram_of

    text = sys.stdin.read() if options.hex == ["-"] else " ".join(options.hex)
    try:
        frame = bytes.fromhex(text)
    except ValueError:
        wrong("HEX: expected bytes in hexadecimal, such as 68 1F 1F 68 08 02 72 …")
    found = told([telegram_of(frame)])
    show(as_json(found) if options.json else said_lines(found))
    return DONE


_EXAMPLES = """
    ccmaster mbus search heat
    ccmaster mbus read heat 12345678
    ccmaster mbus decode 68 1F 1F 68 08 02 72 78 56 34 12 24 40 01 07 55 00 00 00 03 13 15 31 00 DA 02 3B 13 01 8B \\
        60 04 37 18 02 18 16
"""
_SEARCH_EXAMPLES = """
    ccmaster mbus search heat
    ccmaster mbus search heat --while-polling
    ccmaster mbus search serial:/dev/ttyUSB0 --primary --baudrate 300
    ccmaster mbus search tcp:192.168.4.30:10001 --mask 12FFFFFF --json
"""
_READ_EXAMPLES = """
    ccmaster mbus read heat 5
    ccmaster mbus read heat 12345678-KAM-08-04 --json
    ccmaster mbus read serial:/dev/ttyUSB0 12345678
    ccmaster mbus read heat 12345678 --while-polling
"""
_ADDRESS_EXAMPLES = """
    ccmaster mbus set-address heat 12345678 7
    ccmaster mbus set-address heat 5 7
"""
_RESET_EXAMPLES = """
    ccmaster mbus reset heat 12345678
    ccmaster mbus reset heat 5
"""
_SPEED_EXAMPLES = """
    ccmaster mbus set-speed heat 9600
    ccmaster mbus set-speed heat 300 --json
"""
_DECODE_EXAMPLES = """
    ccmaster mbus decode 68 1F 1F 68 08 02 72 78 56 34 12 24 40 01 07 55 00 00 00 03 13 15 31 00 DA 02 3B 13 01 8B \\
        60 04 37 18 02 18 16
    ccmaster mbus decode - --json < telegram.hex
"""
