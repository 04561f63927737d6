"""What the commands share: how one is declared with its examples, the options that several have, and how they speak.
Loads nothing but the parser; whatever a command does is imported when it is asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, NoReturn, TypeAlias, TypeVar

from concentrator.app import DEFAULT_CONFIG

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130

T = TypeVar("T")
Act = Callable[[argparse.Namespace], int]
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def command(commands: Commands, name: str, act: Act, summary: str, examples: str) -> argparse.ArgumentParser:
    """Declares a command; `examples` are the lines its help ends with."""
    made = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"examples:\n{indent(dedent(examples).strip(), '  ')}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.set_defaults(act=act, takes_more=False)
    return made


def command_of_several(commands: Commands, name: str, summary: str, examples: str) -> Commands:
    """Declares a command that does nothing by itself but show its help; gives where its nested ones are declared."""
    made = command(commands, name, _help, summary, examples)
    made.set_defaults(parser=made)
    return made.add_subparsers(title="what to do", metavar="WHAT")


def _help(options: argparse.Namespace) -> int:
    options.parser.print_help()
    return DONE


def takes_config(to: argparse._ActionsContainer, default: object = Path(DEFAULT_CONFIG)) -> None:
    """Gives it `--config FILE`."""
    told = f"the configuration file ({DEFAULT_CONFIG})"
    to.add_argument("--config", "-c", type=Path, default=default, metavar="FILE", help=told)


def takes_place(to: argparse.ArgumentParser, is_nested: bool = False) -> None:
    """Gives it the ways to name a running box: `--config FILE` or `--state-dir DIR`, and `--json`. What is said before
    a nested command holds for it too."""
    place = to.add_mutually_exclusive_group()
    silent: Any = {"default": argparse.SUPPRESS} if is_nested else {}
    takes_config(place, **silent)
    place.add_argument("--state-dir", type=Path, metavar="DIR", help="the box's state folder, instead", **silent)
    takes_json(to, **silent)


def takes_json(to: argparse._ActionsContainer, **options: Any) -> None:
    """Gives it `--json`."""
    to.add_argument("--json", action="store_true", help="as JSON", **options)


def takes_name(to: argparse._ActionsContainer, name: str, of: str, key: str, text: str, **options: Any) -> None:
    """Gives it a name that shells complete with what a running box has under `/api/<of>`."""

    def known(parsed_args: argparse.Namespace, **_: object) -> list[str]:
        from concentrator.app.control import ask
        from concentrator.model.errors import ConcentratorError

        try:
            return [str(each[key]) for each in ask(state_dir(parsed_args), f"/api/{of}")]
        except ConcentratorError:
            return []

    argument = to.add_argument(name, help=text, **options)
    argument.completer = known  # type: ignore[attr-defined]  # argcomplete's way


def state_dir(options: argparse.Namespace) -> Path:
    """The state folder named, or the one of the configuration file named."""
    if getattr(options, "state_dir", None):  # not every command takes it
        return Path(options.state_dir)
    from concentrator.app.config import state_dir_of

    return state_dir_of(options.config)


def show(lines: Iterable[str]) -> None:
    """Says lines."""
    for line in lines:
        print(line)


def as_json(found: object) -> Iterable[str]:
    """What was found, as JSON."""
    import json

    return [json.dumps(found, indent=2, ensure_ascii=False)]


def as_json_line(found: object) -> str:
    """One of many, as JSON on a line of its own."""
    import json

    return json.dumps(found, ensure_ascii=False)


def show_done(
    options: argparse.Namespace, action: str, as_lines: Callable[[Any], Iterable[str]], /, **arguments: object
) -> int:
    """Has the running box do an action, and shows what that gave, as lines or as JSON. Gives the exit status."""
    from concentrator.app.control import act

    found = act(state_dir(options), action, **arguments)
    show(as_json(found) if options.json else as_lines(found))
    return DONE


def complain(lines: Iterable[str]) -> None:
    """Says on standard error what is wrong."""
    for line in lines:
        print(line, file=sys.stderr)


def outcome_told(
    outcome: tuple[list[T], str, bool], as_table: Callable[[list[T]], Iterable[str]], is_json: bool
) -> int:
    """Shows the outcome of a look over a line: what was found, the words of what went wrong if anything did, and
    whether it came to its end. Gives the exit status."""
    found, trouble, is_whole = outcome
    if found or not trouble:
        show(as_json(found) if is_json else as_table(found))
    if trouble:
        complain([f"ccmaster: {trouble}"])
        return FAILED
    if not is_whole:
        complain(["ccmaster: interrupted; this is what was found until then"])
        return INTERRUPTED
    return DONE


def wrong(words: str) -> NoReturn:
    """Ends the program, for the command line is wrong."""
    complain([f"ccmaster: error: {words}"])
    raise SystemExit(WRONG)


def count_of(text: str) -> int:
    """A whole number from 1 on, as people type it."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number from 1 on")
    return int(text)
