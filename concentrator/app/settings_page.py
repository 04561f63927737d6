"""The page about the configuration file, docs/settings.md, made from the settings themselves.

python -m concentrator.app.settings_page > docs/settings.md
"""

from __future__ import annotations

from collections.abc import Iterator

from concentrator.app.config import LATER, SECTIONS
from concentrator.app.config_rules import RULES
from concentrator.app.config_services import SERVICES
from concentrator.app.provisioning import PROVISIONING, BrokerSection
from concentrator.app.setting import Setting, settings_of

_HEAD = """\
# Settings

Every key of `ccmaster.toml`. This page is made by `make docs` from the program itself.

Everything has a default but what is *required*. Durations are texts (`"10 s"`, `"15 min"`, `"1 h"`, `"7 days"`), sizes
likewise (`"512 MiB"`). Relative paths start at the configuration file's folder. `ccmaster check FILE` says everything
that is wrong with a file at once, and what would run.
"""
_TABLE = "| key | type | default | rule | meaning |\n|---|---|---|---|---|"
_HEADINGS = {
    "line": "[line.NAME]",
    "device": "[device.KEY]",
    "mqtt": "[mqtt], [mqtt.NAME]",
    **{kind: f"[{kind}.NAME]" for kind in SERVICES},
}


def settings_page() -> str:
    """The page, in Markdown."""
    return "\n".join([_HEAD, *_sections(), *_provisioning(), *_rules(), *_later()])


def _sections() -> Iterator[str]:
    for name, section in SECTIONS.items():
        yield f"## {_HEADINGS.get(name, f'[{name}]')}\n"
        yield f"{section.__doc__}\n"
        yield _TABLE
        yield from map(_row, settings_of(section))
        yield ""


def _provisioning() -> Iterator[str]:
    yield f"## The file `{PROVISIONING}`\n"
    yield f"{' '.join((BrokerSection.__doc__ or '').split())}\n"
    yield _TABLE
    yield from map(_row, settings_of(BrokerSection))
    yield ""


def _row(setting: Setting) -> str:
    default = "*required*" if setting.is_required else _default(setting.default)
    rule = setting.rule.expected.replace("|", "\\|")
    return f"| `{setting.key}` | {setting.rule.kind} | {default} | {rule} | {setting.meaning} |"


def _default(shown: str) -> str:
    """A value as code, words as they are."""
    is_value = shown[:1] in ('"', "[") or shown in ("true", "false") or shown.isdecimal()
    return f"`{shown}`" if is_value else shown


def _rules() -> Iterator[str]:
    yield "## Rules between keys\n"
    for rule in RULES:
        yield f"* {' '.join((rule.__doc__ or '').split())}"
    yield ""


def _later() -> Iterator[str]:
    yield "## Sections of later versions\n"
    yield f"{', '.join(f'`[{name}]`' for name in LATER)}: known, left out with a warning.\n"


if __name__ == "__main__":
    print(settings_page(), end="")
