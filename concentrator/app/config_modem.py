"""What the configuration file may say of the modem's data connection: its section, and the rules that need more than
one key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from concentrator.app.rule import Rule, flag, text, written
from concentrator.app.setting import Faults, setting

if TYPE_CHECKING:
    from concentrator.app.config_sections import Config

KIND = "modem"


def _words(expected: str) -> Rule:
    return text(f"{expected}, at most 64 characters", r"[^\x00-\x1f\x7f]{0,64}", "short_text")


@frozen
class ModemSection:
    """A modem's data connection, `[modem.NAME]`: the box has NetworkManager keep it. See [the modem](modem.md)."""

    enabled: bool = setting(flag(), True, "Whether there is to be a data connection (GSM Enabled).")
    modem: str = setting(
        text('the number of a modem, or "any"', r"any|[0-9]{1,4}", "modem_number"),
        "any",
        "Which of ModemManager's modems (`mmcli -L`).",
    )
    apn: str = setting(
        text("an access point name, at most 40 characters", r"[A-Za-z0-9._-]{0,40}", "access_point"),
        "",
        "The operator's access point; empty: NetworkManager's choice for the SIM.",
    )
    user: str = setting(_words("a user name"), "", "The user at the access point; empty: none is asked for.")
    password: str = setting(_words("a password"), "", "The user's password.", is_secret=True)
    pin: str = setting(
        text("4 to 8 digits, or nothing", r"([0-9]{4,8})?", "pin"),
        "",
        "The SIM's PIN, entered when the SIM asks for it (PIN Enabled); empty: none is entered.",
        is_secret=True,
    )

    def told(self) -> str:
        """What it would do, in a line; empty where it does nothing."""
        if not self.enabled:
            return ""
        return f"ModemManager's modem {self.modem}: data by {self.apn or 'an access point of the SIM'}"


def modems_are_apart(config: Config, faults: Faults) -> None:
    """Two data connections have not one modem; a password has its user."""
    owners: dict[str, str] = {}
    for name, section in config.services.get(KIND, {}).items():
        place = f"{KIND}.{name}"
        if section.password and not section.user and faults.are_readable(place, "user", "password"):
            faults.add(place, "user", "nothing", "the user whose password it is")
        if not section.enabled or not faults.are_readable(place, "enabled", "modem"):
            continue
        if section.modem in owners or (owners and "any" in (section.modem, *owners)):
            first = owners.get(section.modem) or next(iter(owners.values()))
            faults.add(place, "modem", f"{written(section.modem)}, which [{first}] may have", "a modem of its own")
        else:
            owners[section.modem] = place
