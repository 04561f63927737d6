"""The doors, put together: the action table, the control socket and the live page. Hides which of them listens where,
and that a port that is taken costs the page only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from concentrator.actions.present import present_actions
from concentrator.actions.table import ActionTable, AuditEntry
from concentrator.app.control import SOCKET
from concentrator.portal.doors import build_control_site, build_site

if TYPE_CHECKING:
    from concentrator.app.assembly import Box

log = Logger()


def build_table(box: Box) -> ActionTable:
    """Everything that can be asked of a box."""
    table = ActionTable(_audit)
    for action in present_actions(
        box=box.facts,
        devices=box.field_.device_states,
        lines=box.field_.line_states,
        uplinks=box.uplink_states,
        wall=box.wall,
    ):
        table.register(action)
    return table


async def open_doors(box: Box) -> list[Any]:
    """Opens the control socket, for its owner only, and the live page, on loopback; gives the ports that listen."""
    table = build_table(box)
    control = build_control_site(table, clock=box.reactor)
    control.noisy = False
    socket = str(box.config.box.state_dir / SOCKET)
    ports = []
    try:
        ports.append(box.reactor.listenUNIX(socket, control, mode=0o600, wantPID=True))
    except (CannotListenError, OSError) as error:
        log.error("the control socket is not there: {error}", error=str(error).rstrip("."))
    site = build_site(
        table,
        box=box.facts,
        devices=box.field_.device_states,
        lines=box.field_.line_states,
        uplinks=box.uplink_states,
        subscribe=box.field_.hub.subscribe,
        wall=box.wall,
        clock=box.reactor,
        zone=box.config.box.timezone,
    )
    site.noisy = False
    for description in box.config.web.loopback_listen():
        try:
            ports.append(await serverFromString(box.reactor, description).listen(site))
        except CannotListenError as error:
            log.error("the portal is not served: {error}", error=str(error).rstrip("."))
    return ports


def _audit(entry: AuditEntry) -> None:
    log.info("{entry}", entry=entry)
