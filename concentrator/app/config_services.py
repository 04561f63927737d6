"""The sections of services beside the main road of a value: each kind has a class, its sections are named, and all of
them change while the box runs. A new kind is a row here, and one in `ways`. The class says by `told()` what a section
would do, in a line, empty where it does nothing; one that does for others what not everybody may says so by `gives`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from concentrator.app.config_gateways import GatewaySection
from concentrator.app.config_modem import ModemSection
from concentrator.app.config_panel import InputSection, OutputSection
from concentrator.app.config_slave import SlaveSection
from concentrator.app.config_smartgen import SmartgenSection
from concentrator.app.config_sms import SmsSection

if TYPE_CHECKING:
    from concentrator.app.config_sections import Config

SERVICES: Mapping[str, type[Any]] = {
    "mbus_gateway": GatewaySection,
    "smartgen": SmartgenSection,
    "modbus_slave": SlaveSection,
    "input": InputSection,
    "output": OutputSection,
    "sms": SmsSection,
    "modem": ModemSection,
}
"""The class of each kind's sections, [KIND.NAME]."""

IMPLIED = ("input", "output")
"""The kinds whose sections are as good as there where the file has none."""


def given_by(section: Any) -> frozenset[str]:
    """The classes of actions that a service carries out for others, by the names of permissions."""
    given: frozenset[str] = getattr(section, "gives", frozenset())
    return given


def service_sections(config: Config) -> Iterator[tuple[str, Any]]:
    """The sections of all services by place, "KIND.NAME"."""
    for kind, sections in config.services.items():
        for name, section in sections.items():
            yield f"{kind}.{name}", section
