"""A made-up box with users, a certificate and a real configuration file, and everything that the pages of its security
ask."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Site

from concentrator.actions.https import https_actions
from concentrator.actions.users import user_actions
from concentrator.app.gate import GateAccounts
from concentrator.app.https import Https
from concentrator.web.certificates import made
from tests.support.config_box import ConfigBox
from tests.support.web import NOW


class SecurityBox(ConfigBox):
    """The box, its state in `folder`. `reports` has what the certificate's keeper told."""

    def __init__(self, folder: Path, text: str = '[box]\nstate_dir = "state"\n') -> None:
        super().__init__(folder, text)
        self.reports: list[tuple[str, Mapping[str, object]]] = []

    def site(self, clock: IReactorTime) -> Site:
        """The site over this box."""
        site = super().site(clock)
        self.https = Https(
            self.state_dir, "4220080001", clock, self.wall, lambda name, facts: self.reports.append((name, facts))
        )
        for actions in (user_actions(GateAccounts(self.gate)), https_actions(self.https)):
            for action in actions:
                self.table.register(action)
        return site


def pem_pair(name: str, at: float = NOW) -> tuple[str, str]:
    """A key and a certificate for that name, good from `at` on, as PEM texts."""
    key, mark, certificate = made("0000000000", [name], at).pem.decode().partition("-----BEGIN CERTIFICATE-----")
    return key, mark + certificate
