"""Who may what, without saying what the what is: three roles, each of which may all that the one before it may."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody who signed in is: he looks; he sets up the plant; he sets up the box and who may use it."""

    VIEWER = "viewer"
    INSTALLER = "installer"
    ADMINISTRATOR = "administrator"

    def covers(self, needed: Role) -> bool:
        """Whether who has this role may do what the needed one may."""
        order = tuple(Role)
        return order.index(self) >= order.index(needed)
