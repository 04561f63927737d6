"""The command for whoever cannot sign in: what password this box made, or a new one for a user. Hides that the first is
read from the state folder, which only its owner can, and the second asked of the running box."""

from __future__ import annotations

import argparse

from concentrator.app.cli_parts import DONE, FAILED, Commands, as_json, command, complain, show, state_dir, takes_place

_EXAMPLES = """
    ccmaster password
    ccmaster password --new anna
"""


def add_user_commands(commands: Commands) -> None:
    """Declares `password`."""
    password = command(
        commands, "password", _password, "show the portal's first password, or make a new one", _EXAMPLES
    )
    takes_place(password)
    password.add_argument("--new", metavar="USER", default="", help="give that user a new password, and show it once")


def _password(options: argparse.Namespace) -> int:
    if options.new:
        from concentrator.app.control import act

        made = act(state_dir(options), "user.reset", name=options.new)
        found = {"user": options.new, "password": made["password"]}
        show(
            as_json(found) if options.json else [f"{options.new} signs in with {made['password']}, and chooses another"]
        )
        return DONE
    return _first(options)


def _first(options: argparse.Namespace) -> int:
    from concentrator.app.gate import FILE, kept_users
    from concentrator.web.users import users_of

    kept = kept_users(state_dir(options) / FILE)
    if kept is None:
        complain(["ccmaster: the box was not started yet: it makes its first password then"])
        return FAILED
    first = next((each for each in users_of(kept) if each.first), None)
    if first is None:
        complain(
            ["ccmaster: the password this box made is not used any more; `ccmaster password --new USER` makes one"]
        )
        return FAILED
    found = {"user": first.name, "password": first.first}
    show(as_json(found) if options.json else [f"{first.name} signs in with {first.first}"])
    return DONE
