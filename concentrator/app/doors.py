"""The doors, put together: the action table, the control socket and the live page. Hides which of them listens where,
and that a door which cannot be opened costs that door only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from concentrator.actions.present import present_actions
from concentrator.actions.table import ActionTable, AuditEntry
from concentrator.api import DeviceState, LineState, UplinkState, Wall
from concentrator.app.config_sections import Config
from concentrator.app.control import SOCKET
from concentrator.hub.hub import Hub
from concentrator.portal.doors import build_control_site, build_site

log = Logger()


@frozen
class View:
    """What people see of the box, each as a callable that gives the states of now."""

    box: Callable[[], Mapping[str, object]]
    devices: Callable[[], Sequence[DeviceState]]
    lines: Callable[[], Sequence[LineState]]
    uplinks: Callable[[], Sequence[UplinkState]]


def build_table(view: View, wall: Wall) -> ActionTable:
    """Everything that can be asked of a box."""
    table = ActionTable(_audit)
    for action in present_actions(
        box=view.box, devices=view.devices, lines=view.lines, uplinks=view.uplinks, wall=wall
    ):
        table.register(action)
    return table


async def open_doors(config: Config, view: View, hub: Hub, reactor: Any, wall: Wall) -> list[Any]:
    """Opens the control socket, for its owner only, and the live page, on loopback; gives the ports that listen."""
    table = build_table(view, wall)
    control = build_control_site(table, clock=reactor)
    control.noisy = False
    ports = []
    try:
        ports.append(reactor.listenUNIX(str(config.box.state_dir / SOCKET), control, mode=0o600, wantPID=True))
    except CannotListenError as error:
        log.error("the control socket is not there: {error}", error=str(error).rstrip("."))
    site = build_site(
        table,
        box=view.box,
        devices=view.devices,
        lines=view.lines,
        uplinks=view.uplinks,
        subscribe=hub.subscribe,
        wall=wall,
        clock=reactor,
        zone=config.box.timezone,
    )
    site.noisy = False
    for description in config.web.loopback_listen():
        try:
            ports.append(await serverFromString(reactor, description).listen(site))
        except CannotListenError as error:
            log.error("the portal is not served: {error}", error=str(error).rstrip("."))
    return ports


def _audit(entry: AuditEntry) -> None:
    log.info("{entry}", entry=entry)
