"""The command line, `ccmaster`: one command each for what people do with a box from a shell. Parses, calls, and turns
what went wrong into one sentence and an exit status; each command's own work is imported only when it is asked for.

Exit status: 0 done; 1 it could not be done; 2 the configuration, a profile or the command line is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from textwrap import dedent, indent
from typing import NoReturn, TypeAlias

from concentrator import __version__
from concentrator.app import DEFAULT_CONFIG
from concentrator.app.demo_options import add_options

DONE, FAILED, WRONG = 0, 1, 2

_Act = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit status."""
    from concentrator.model.errors import ConcentratorError

    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:
        from argcomplete import autocomplete

        autocomplete(parser)
    options, more = parser.parse_known_args(argv)
    if more and not options.takes_more:
        parser.error(f"unknown: {' '.join(more)}")
    options.more = more
    try:
        status: int = options.act(options)
        sys.stdout.flush()
        return status
    except ConcentratorError as error:
        faults = getattr(error, "faults", None)
        _complain(map(str, faults) if faults else [f"ccmaster: {error.sentence}"])
        return WRONG if faults else FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has seen enough
        return DONE
    except OSError as error:
        _complain([f"ccmaster: {error.filename or 'this machine'}: {error.strerror or error}"])
        return FAILED
    except KeyboardInterrupt:
        return 130


# --- the commands ----------------------------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> NoReturn:
    from concentrator.app.config import load_checked
    from concentrator.app.launch import environment, twistd

    load_checked(options.config)
    command = twistd(options.config, *options.more)
    os.execve(command[0], command, environment())


def _check(options: argparse.Namespace) -> int:
    from concentrator.app.check import check

    return check(options.file, options.json)


def _demo(options: argparse.Namespace) -> int:
    from concentrator.app.demo import main as demo

    return demo(options)


def _status(options: argparse.Namespace) -> int:
    from concentrator.app.control import ask, status_lines

    found = ask(_state_dir(options), "/api/status")
    _show(_json(found) if options.json else status_lines(found))
    return DONE


def _devices(options: argparse.Namespace) -> int:
    from concentrator.app.control import ask, device_lines

    found = ask(_state_dir(options), "/api/devices")
    _show(_json(found) if options.json else device_lines(found))
    return DONE


def _journal(options: argparse.Namespace) -> int:
    from concentrator.app.records import FORMS, records

    _show(FORMS[options.form](records(options.place, options.period, options.device)))
    return DONE


def _profiles(options: argparse.Namespace) -> int:
    from concentrator.app.profiles import faults_in, lines_of, listed

    faults = faults_in(options.folder)
    if faults:
        _complain(map(str, faults))
        return WRONG
    found = listed(options.folder)
    _show(_json(found) if options.json else lines_of(found))
    return DONE


def _completion(options: argparse.Namespace) -> int:
    from argcomplete import shellcode

    print(shellcode(["ccmaster"], shell=options.shell))
    return DONE


def _state_dir(options: argparse.Namespace) -> Path:
    """The state folder named, or the one of the configuration file named."""
    if options.state_dir:
        return Path(options.state_dir)
    from concentrator.app.config import state_dir_of

    return state_dir_of(options.config)


def _show(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _json(found: object) -> Iterable[str]:
    import json

    return [json.dumps(found, indent=2, ensure_ascii=False)]


def _complain(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)


# --- the parser ------------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ccmaster",
        description="A multi-protocol energy concentrator: reads meters, stores, publishes.",
        epilog="`ccmaster COMMAND --help` says more, with examples.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"CcMaster {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = _command(commands, "run", _run, "run the concentrator in the foreground", _RUN_EXAMPLES)
    _takes_config(run)
    run.set_defaults(takes_more=True)

    check = _command(
        commands, "check", _check, "say what is wrong with a configuration, or what would run", _CHECK_EXAMPLES
    )
    check.add_argument("file", type=Path, metavar="FILE", help="the configuration file")
    _takes_json(check)

    demo = _command(commands, "demo", _demo, "show everything at work, without any hardware", _DEMO_EXAMPLES)
    add_options(demo)

    for name, act, summary in (
        ("status", _status, "ask a running box how it is"),
        ("devices", _devices, "ask a running box for its devices"),
    ):
        asking = _command(commands, name, act, summary, _ASK_EXAMPLES.replace("NAME", name))
        place = asking.add_mutually_exclusive_group()
        _takes_config(place)
        place.add_argument("--state-dir", type=Path, metavar="DIR", help="the box's state folder, instead")
        _takes_json(asking)

    journal = _command(commands, "journal", _journal, "print the records of a journal", _JOURNAL_EXAMPLES)
    journal.add_argument("place", type=Path, metavar="FILE_OR_STATE_DIR", help="the journal, or the folder it is in")
    journal.add_argument("--period", type=_period, metavar="N", help="only intervals of N seconds; 0: only events")
    journal.add_argument("--device", default="", metavar="UID", help="only one device, by its short id or serial")
    form = journal.add_mutually_exclusive_group()
    for name, text in (("json", "one JSON object a record"), ("csv", "one line a value")):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, default="text", help=text)

    profiles = _command(
        commands, "profiles", _profiles, "list the device profiles, or check your own", _PROFILES_EXAMPLES
    )
    profiles.add_argument("folder", nargs="*", type=Path, metavar="DIR", help="check every BRAND/SERIES.toml in it")
    _takes_json(profiles)

    completion = _command(commands, "completion", _completion, "print what makes a shell complete", _SHELL_EXAMPLES)
    completion.add_argument("shell", choices=("bash", "zsh"))
    return parser


_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(commands: _Commands, name: str, act: _Act, summary: str, examples: str) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"examples:\n{indent(dedent(examples).strip(), '  ')}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.set_defaults(act=act, takes_more=False)
    return command


def _takes_config(to: argparse._ActionsContainer) -> None:
    to.add_argument(
        "--config",
        "-c",
        type=Path,
        default=Path(DEFAULT_CONFIG),
        metavar="FILE",
        help="the configuration file (%(default)s)",
    )


def _takes_json(to: argparse._ActionsContainer) -> None:
    to.add_argument("--json", action="store_true", help="as JSON")


def _period(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number of seconds")
    return int(text)


_RUN_EXAMPLES = """
    ccmaster run --config my.toml
    ccmaster run --config my.toml --logfile=/var/log/ccmaster.log     (further options are twistd's)
"""
_CHECK_EXAMPLES = """
    ccmaster check my.toml
    ccmaster check my.toml --json | jq .lines
"""
_DEMO_EXAMPLES = """
    ccmaster demo
    ccmaster demo --meters 32 --dir /tmp/demo
    ccmaster demo --dir /tmp/demo --mqtt-port 11884 --ftp-port 2122 --http-port 8081 --for 60
"""
_ASK_EXAMPLES = """
    ccmaster NAME
    ccmaster NAME --config my.toml
    ccmaster NAME --state-dir /var/lib/ccmaster --json
"""
_JOURNAL_EXAMPLES = """
    ccmaster journal /var/lib/ccmaster --period 300 --device main
    ccmaster journal /var/lib/ccmaster/journal.db --csv > records.csv
"""
_PROFILES_EXAMPLES = """
    ccmaster profiles
    ccmaster profiles /etc/ccmaster/plugins
"""
_SHELL_EXAMPLES = """
    eval "$(ccmaster completion bash)"        (in ~/.bashrc)
    eval "$(ccmaster completion zsh)"         (in ~/.zshrc, after compinit)
"""

if __name__ == "__main__":
    sys.exit(main())
