"""The command line, `ccmaster`: one command each for what people do with a box from a shell. Parses, calls, and turns
what went wrong into one sentence and an exit status; each command's own work is imported only when it is asked for.

Exit status: 0 done; 1 it could not be done; 2 the configuration, a profile or the command line is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from concentrator import __version__
from concentrator.app.cli_config import add_config_commands
from concentrator.app.cli_export import add_export_command
from concentrator.app.cli_field import add_field_commands
from concentrator.app.cli_genset import add_genset_command
from concentrator.app.cli_identify import add_identify_command
from concentrator.app.cli_lines import add_line_commands
from concentrator.app.cli_mbus import add_mbus_command
from concentrator.app.cli_parts import (
    DONE,
    FAILED,
    INTERRUPTED,
    WRONG,
    as_json,
    command,
    complain,
    show,
    state_dir,
    takes_config,
    takes_json,
    takes_place,
)
from concentrator.app.cli_profiles import add_profile_commands
from concentrator.app.cli_sim import add_sim_command
from concentrator.app.cli_slave import add_slave_command
from concentrator.app.cli_smartgen import add_smartgen_command
from concentrator.app.cli_sms import add_sms_command
from concentrator.app.cli_users import add_user_commands
from concentrator.app.demo_options import add_options


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
        complain(map(str, faults) if faults else [f"ccmaster: {error.sentence}"])
        return WRONG if faults else FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has seen enough
        return DONE
    except OSError as error:
        complain([f"ccmaster: {error.filename or 'this machine'}: {error.strerror or error}"])
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


# --- the commands ----------------------------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> NoReturn:
    from concentrator.app.config import load_checked
    from concentrator.app.launch import environment, twistd

    load_checked(options.config)
    program = twistd(options.config, *options.more)
    os.execve(program[0], program, environment())


def _check(options: argparse.Namespace) -> int:
    from concentrator.app.check import check

    return check(options.file, options.json)


def _demo(options: argparse.Namespace) -> int:
    from concentrator.app.demo import main as demo

    return demo(options)


def _status(options: argparse.Namespace) -> int:
    from concentrator.app.control import ask, status_lines

    found = ask(state_dir(options), "/api/status")
    show(as_json(found) if options.json else status_lines(found))
    return DONE


def _journal(options: argparse.Namespace) -> int:
    from concentrator.app.records import FORMS, records

    show(FORMS[options.form](records(options.place, options.period, options.device)))
    return DONE


def _completion(options: argparse.Namespace) -> int:
    from argcomplete import shellcode

    print(shellcode(["ccmaster"], shell=options.shell))
    return DONE


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

    run = command(commands, "run", _run, "run the concentrator in the foreground", _RUN_EXAMPLES)
    takes_config(run)
    run.set_defaults(takes_more=True)

    check = command(
        commands, "check", _check, "say what is wrong with a configuration, or what would run", _CHECK_EXAMPLES
    )
    check.add_argument("file", type=Path, metavar="FILE", help="the configuration file")
    takes_json(check)

    demo = command(commands, "demo", _demo, "show everything at work, without any hardware", _DEMO_EXAMPLES)
    add_options(demo)
    add_sim_command(commands)

    status = command(commands, "status", _status, "ask a running box how it is", _STATUS_EXAMPLES)
    takes_place(status)
    add_field_commands(commands)
    add_line_commands(commands)
    add_mbus_command(commands)
    add_genset_command(commands)
    add_slave_command(commands)
    add_smartgen_command(commands)
    add_sms_command(commands)
    add_identify_command(commands)
    add_config_commands(commands)
    add_export_command(commands)
    add_user_commands(commands)

    journal = command(commands, "journal", _journal, "print the records of a journal", _JOURNAL_EXAMPLES)
    journal.add_argument("place", type=Path, metavar="FILE_OR_STATE_DIR", help="the journal, or the folder it is in")
    journal.add_argument("--period", type=_period, metavar="N", help="only intervals of N seconds; 0: only events")
    journal.add_argument("--device", default="", metavar="UID", help="only one device, by its short id or serial")
    form = journal.add_mutually_exclusive_group()
    for name, text in (("json", "one JSON object a record"), ("csv", "one line a value")):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, default="text", help=text)

    add_profile_commands(commands)

    completion = command(commands, "completion", _completion, "print what makes a shell complete", _SHELL_EXAMPLES)
    completion.add_argument("shell", choices=("bash", "zsh"))
    return parser


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
_STATUS_EXAMPLES = """
    ccmaster status
    ccmaster status --config my.toml
    ccmaster status --state-dir /var/lib/ccmaster --json
"""
_JOURNAL_EXAMPLES = """
    ccmaster journal /var/lib/ccmaster --period 300 --device main
    ccmaster journal /var/lib/ccmaster/journal.db --csv > records.csv
"""
_SHELL_EXAMPLES = """
    eval "$(ccmaster completion bash)"        (in ~/.bashrc)
    eval "$(ccmaster completion zsh)"         (in ~/.zshrc, after compinit)
"""

if __name__ == "__main__":
    sys.exit(main())
