"""The doors, put together: the control socket and the live page. Hides which of them listens where,
and that a door which cannot be opened costs that door only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from concentrator.api import Wall
from concentrator.app.actions import Actions, View
from concentrator.app.config_sections import Config
from concentrator.app.control import SOCKET
from concentrator.model.reading import Reading
from concentrator.portal.doors import build_control_site, build_site
from concentrator.portal.downloads import Downloads

Subscribe = Callable[[Callable[[Reading], None]], Callable[[], None]]

log = Logger()


@frozen(eq=False)
class Doors:
    """The ports that listen."""

    _ports: tuple[Any, ...]

    def close(self) -> Deferred[Any]:
        """Lets nobody in; fires when that is over."""
        return DeferredList([port.stopListening() for port in self._ports])


async def open_doors(
    config: Config,
    view: View,
    actions: Actions,
    subscribe: Subscribe,
    downloads: Downloads,
    reactor: Any,
    wall: Wall,
) -> Doors:
    """Opens the control socket, for its owner only, and the live page, on loopback; `subscribe` is the hub's."""
    control = build_control_site(actions.table, clock=reactor, downloads=downloads)
    control.noisy = False
    ports = []
    try:
        ports.append(reactor.listenUNIX(str(config.box.state_dir / SOCKET), control, mode=0o600, wantPID=True))
    except CannotListenError as error:
        log.error("the control socket is not there: {error}", error=str(error).rstrip("."))
    site = build_site(
        actions.table,
        box=view.box,
        devices=view.devices,
        lines=view.lines,
        uplinks=view.uplinks,
        subscribe=subscribe,
        wall=wall,
        clock=reactor,
        zone=config.box.timezone,
        traces=actions.traces,
        downloads=downloads,
    )
    site.noisy = False
    for description in config.web.loopback_listen():
        try:
            ports.append(await serverFromString(reactor, description).listen(site))
        except CannotListenError as error:
            log.error("the portal is not served: {error}", error=str(error).rstrip("."))
    return Doors(tuple(ports))
