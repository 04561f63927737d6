"""Who may use the portal, as it is kept on this box, and the first of them. Hides the file, which only the program's
own user may read, where the first password comes from, and that whoever is changed has to sign in again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.logger import Logger

from concentrator.app.config_sections import Config
from concentrator.app.threads import LooseThreads
from concentrator.system.files import write_whole
from concentrator.web.access import Role
from concentrator.web.gate import Gate
from concentrator.web.session import Sessions
from concentrator.web.tries import Tries
from concentrator.web.users import Users

FILE = "users.json"
FACTORY_PASSWORD = "admin"
"""The manual's (CcMaster user manual, 6.2.1.6.1)."""

log = Logger()


def build_gate(config: Config, serial: str, reactor: Any) -> Gate | None:
    """The gate with the users that are kept, nobody yet where the box never had one; None where the file cannot be
    read: then nobody comes in, which is logged."""
    file = config.box.state_dir / FILE
    threads = LooseThreads(reactor, "passwords", 1)
    try:
        users = Users(kept_users(file), lambda content: write_whole(file, content, 0o600), threads.run, box=(serial,))
    except (OSError, ValueError) as error:
        log.error("the portal is not served: {file}: {error}", file=str(file), error=error)
        return None
    return Gate(users, Sessions(reactor), Tries(reactor))


async def first_user(config: Config, users: Users) -> None:
    """Makes the first user where there is none: with a password of this box's own, or with the manual's where the
    configuration says so. OSError where he cannot be kept."""
    await users.begin(config.web.user, FACTORY_PASSWORD if config.box.manual_defaults else "")
    if users.first() is not None:
        log.info("the portal's password is still the one this box made; `ccmaster password` shows it")


def kept_users(file: Path) -> bytes | None:
    """What is kept; None where nothing ever was."""
    return file.read_bytes() if file.exists() else None


@frozen(eq=False)
class GateAccounts:
    """The users behind a gate, as the actions have them."""

    _gate: Gate

    def listed(self) -> list[dict[str, object]]:
        """See Accounts."""
        count = self._gate.sessions.count_of
        return [
            {
                "name": each.name,
                "role": each.role.value,
                "must_change": each.must_change,
                "sessions": count(each.name),
            }
            for each in self._gate.users
        ]

    async def add(self, name: str, role: str) -> str:
        """See Accounts."""
        return await self._gate.users.add(name, Role(role))

    async def reset(self, name: str) -> str:
        """See Accounts."""
        password = await self._gate.users.reset(name)
        self._gate.sessions.end_of(name)
        return password

    def set_role(self, name: str, role: str) -> None:
        """See Accounts."""
        self._gate.users.set_role(name, Role(role))
        self._gate.sessions.end_of(name)

    def remove(self, name: str) -> None:
        """See Accounts."""
        self._gate.users.remove(name)
        self._gate.sessions.end_of(name)
