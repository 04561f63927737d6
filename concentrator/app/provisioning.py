"""What the maker or the owner of a fleet gave this box besides its configuration: the default broker. Hides the file,
`provisioning.toml` in the state folder, which may be absent."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import Factory, asdict, evolve, frozen

from concentrator.app.address import broker_address
from concentrator.app.config_uplinks import MqttSection
from concentrator.app.rule import choice, path, text, whole
from concentrator.app.setting import Faults, read_section, setting
from concentrator.model.errors import ConfigError

PROVISIONING = "provisioning.toml"


@frozen
class BrokerSection:
    """The default broker, `[broker]` of `provisioning.toml` in `state_dir`: the keys of `[mqtt]` that say where it is,
    whom to trust there, and who this box is. Relative paths start at that folder."""

    host: str = setting(broker_address(), meaning="The broker.")
    port: int = setting(
        whole(1, 65535),
        Factory(lambda self: 8883 if self.host and self.host.startswith("mqtts:") else 1883, takes_self=True),
        "Its port.",
        shown="8883, or 1883 with mqtt://",
    )
    client_id: str = setting(text(), "", "The client identifier; empty: made from the box's serial.")
    user: str = setting(text(), "", "The user.")
    password: str = setting(text(), "", "The user's password.", is_secret=True)
    tls: str = setting(choice("ca", "self-signed"), "ca", "Whom mqtts:// trusts, as in `[mqtt]`.")
    ca_file: Path | None = setting(path(), None, "The CA's root certificates, PEM.", shown="those of the system")
    cert_file: Path | None = setting(path(), None, "The broker's self-signed certificate, PEM.")
    client_cert_file: Path | None = setting(path(), None, "The box's own certificate, PEM.")
    client_key_file: Path | None = setting(path(), None, "Its key, PEM.", shown="in the certificate's file")


def default_broker(state_dir: Path) -> BrokerSection | None:
    """The default broker; None where the box was given none. Raises ConfigError with every fault of the file."""
    file = state_dir / PROVISIONING
    faults = Faults(str(file))
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        faults.add("", "", str(error), "TOML text that can be read")
        raise ConfigError(faults.found) from None
    for name in tables.keys() - {"broker"}:
        faults.unknown(name, "", "section", ["broker"])
    found = _read(tables, faults, state_dir)
    if faults.found:
        raise ConfigError(faults.found)
    return found


def with_default(section: MqttSection, broker: BrokerSection | None) -> MqttSection:
    """The section of an uplink to the default broker, with its address and credentials; without an address where there
    is none."""
    return evolve(section, host="") if broker is None else evolve(section, **asdict(broker))


def _read(tables: Mapping[str, Any], faults: Faults, folder: Path) -> BrokerSection | None:
    table = tables.get("broker")
    if table is None:
        return None
    if not isinstance(table, dict):
        faults.add("", "broker", "a value", "a section, [broker]")
        return None
    return read_section(BrokerSection, table, "broker", faults, folder)
