"""The commands about device profiles: what there is, what one says, what is wrong with one's own, and a new one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from concentrator.app.cli_parts import DONE, WRONG, Commands, as_json, command, complain, show, takes_json

_OWN = Path("/etc/ccmaster/plugins")


def add_profile_commands(commands: Commands) -> None:
    """Adds them to the parser's; `ccmaster profiles` alone lists."""
    profiles = command(commands, "profiles", _list, "list, show, check or begin device profiles", _EXAMPLES)
    _takes_list(profiles)
    nested = profiles.add_subparsers(title="commands", metavar="COMMAND")
    _takes_list(command(nested, "list", _list, "list the profiles there are", _LIST_EXAMPLES), is_nested=True)

    one = command(nested, "show", _show, "show all that a profile says", _SHOW_EXAMPLES)
    key = one.add_argument("key", metavar="BRAND/SERIES", help="the profile's key")
    key.completer = _keys  # type: ignore[attr-defined]  # argcomplete's way
    _takes_folders(one, is_nested=True)

    check = command(nested, "check", _check, "say all that is wrong with profile files", _CHECK_EXAMPLES)
    check.add_argument(
        "place", nargs="+", type=Path, metavar="FILE_OR_DIR", help="a file, or a folder BRAND/SERIES.toml"
    )
    takes_json(check, default=argparse.SUPPRESS)

    new = command(
        nested, "new", _new, "begin a profile: a file to be filled in, with the format's schema", _NEW_EXAMPLES
    )
    new.add_argument("key", metavar="BRAND/SERIES", help="where it is to lie; small letters, digits and hyphens")
    new.add_argument("--in", dest="folder", type=Path, default=_OWN, metavar="DIR", help=f"the folder ({_OWN})")
    for name in ("type", "brand", "class", "series", "models", "sources"):
        new.add_argument(f"--{name}", dest=f"said_{name}", metavar="TEXT", help="in place of the question about it")

    command(nested, "schema", _schema, "print the JSON Schema of profile files, for editors", _SCHEMA_EXAMPLES)


def _takes_list(to: argparse.ArgumentParser, is_nested: bool = False) -> None:
    silent = {"default": argparse.SUPPRESS} if is_nested else {}
    to.add_argument("--type", metavar="TYPE", help="only meters, analysers, inverters or gensets", **silent)  # type: ignore[arg-type]
    to.add_argument("--brand", metavar="BRAND", help="only this brand's", **silent)  # type: ignore[arg-type]
    _takes_folders(to, is_nested)


def _takes_folders(to: argparse.ArgumentParser, is_nested: bool = False) -> None:
    default = argparse.SUPPRESS if is_nested else [_OWN]
    told = f"a folder of your own, which goes before the shipped ones; more than once: several ({_OWN})"
    to.add_argument("--dir", dest="folders", action=_Folders, type=Path, default=default, metavar="DIR", help=told)
    takes_json(to, **({"default": argparse.SUPPRESS} if is_nested else {}))


class _Folders(argparse.Action):
    """Collects folders; the first that is named takes the place of the default."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, *_: object
    ) -> None:
        before = getattr(namespace, "named_folders", [])
        namespace.named_folders = [*before, values]
        namespace.folders = namespace.named_folders


def _list(options: argparse.Namespace) -> int:
    from concentrator.app.profiles import catalogue_of, lines_of, listed

    catalogue = catalogue_of(options.folders)
    found = listed(catalogue, type=options.type, brand=options.brand)
    show(as_json(found) if options.json else lines_of(found))
    complain(f"left out: {fault}" for fault in catalogue.left_out())
    return DONE


def _show(options: argparse.Namespace) -> int:
    from concentrator.app.profiles import catalogue_of, lines_of_one, shown

    one = shown(catalogue_of(options.folders), options.key)
    show(as_json(one) if options.json else lines_of_one(one))
    return DONE


def _check(options: argparse.Namespace) -> int:
    from attrs import asdict

    from concentrator.app.profiles import checked, lines_of_checked

    profiles, faults = checked(options.place)
    if options.json:
        show(as_json({"profiles": [profile.key for profile in profiles], "faults": list(map(asdict, faults))}))
    else:
        show(lines_of_checked(profiles if not faults else ()))
        complain(map(str, faults))
    return WRONG if faults else DONE


def _new(options: argparse.Namespace) -> int:
    from concentrator.app.new_profile import QUESTIONS, answers, new_profile

    given = {name: getattr(options, f"said_{name}") for name in QUESTIONS}
    said = answers(options.key, given, _asked if sys.stdin.isatty() else None)
    path = new_profile(options.folder, options.key, said)
    show([f"{path} is there. Fill it in, then: ccmaster profiles check {path}"])
    return DONE


def _asked(question: str, usual: str) -> str:
    return input(f"{question} [{usual}]: ").strip()


def _schema(options: argparse.Namespace) -> int:
    from concentrator.profile.json_schema import profile_schema_text

    show(profile_schema_text().splitlines())
    return DONE


def _keys(**_: object) -> list[str]:
    from concentrator.profile.catalogue import Catalogue

    return list(Catalogue([_OWN]).keys())


_EXAMPLES = """
    ccmaster profiles
    ccmaster profiles list --brand goodwe
    ccmaster profiles show goodwe/et
    ccmaster profiles check /etc/ccmaster/plugins
    ccmaster profiles new acme/a3
"""
_LIST_EXAMPLES = """
    ccmaster profiles list --type inverter
    ccmaster profiles list --dir my-plugins --json
"""
_SHOW_EXAMPLES = """
    ccmaster profiles show eastron/sdm630
    ccmaster profiles show eastron/sdm630 --json | jq '.variables[].name'
"""
_CHECK_EXAMPLES = """
    ccmaster profiles check my-plugins/acme/a3.toml
    ccmaster profiles check my-plugins
"""
_NEW_EXAMPLES = """
    ccmaster profiles new acme/a3
    ccmaster profiles new acme/i5 --in my-plugins --type inverter --class string --series I5 --models I5-3,I5-5
"""
_SCHEMA_EXAMPLES = """
    ccmaster profiles schema > profile.schema.json
"""
