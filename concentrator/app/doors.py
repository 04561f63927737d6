"""The doors, put together: the control socket and the portal. Hides which of them listens where, that a door which
cannot be opened costs that door only, and that the portal's can become others while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from concentrator.api import Wall
from concentrator.app.actions import Actions, View
from concentrator.app.config_sections import Config
from concentrator.app.config_web import WebSection
from concentrator.app.control import SOCKET
from concentrator.app.gate import first_user
from concentrator.app.https import Https
from concentrator.app.watch import Watch
from concentrator.model.reading import Reading
from concentrator.portal.api_door import Watched
from concentrator.portal.cells import Sources
from concentrator.portal.doors import build_control_site, build_site
from concentrator.portal.downloads import Downloads
from concentrator.web.doorman import realms_of
from concentrator.web.gate import Gate
from concentrator.web.site import GuardedSite
from concentrator.web.tokens import Tokens

Subscribe = Callable[[Callable[[Reading], None]], Callable[[], None]]

log = Logger()


@define(eq=False)
class Doors:
    """The ports that listen: the control socket's, and the portal's by their description. Without a site there is no
    portal."""

    _reactor: Any
    _https: Https
    _gate: Gate | None = None
    _site: GuardedSite | None = None
    _control: Any = field(default=None, init=False)
    _ports: dict[tuple[str, str], Any] = field(factory=dict, init=False)

    def open_control(self, path: str, site: GuardedSite) -> None:
        """Opens the control socket, for its owner only."""
        try:
            self._control = self._reactor.listenUNIX(path, site, mode=0o600, wantPID=True)
        except CannotListenError as error:
            log.error("the control socket is not there: {error}", error=str(error).rstrip("."))

    async def serve(self, web: WebSection) -> None:
        """Serves the portal as that section says, from now on: where it is served as before, nobody notices, and where
        it can be served nowhere it goes on where it was."""
        if self._site is None or self._gate is None:
            return
        self._gate.users.take_digests(realms_of(web.rules))
        self._site.conduct = web.conduct
        self._site.http_log.shorten(web.log_entries)
        wanted = {(each, "") for each in web.listen} | {(each, ",".join(web.tls)) for each in web.https}
        left = [each for each in self._ports if each not in wanted]
        for place in left:
            await self._ports.pop(place).stopListening()
        await self._open(wanted)
        if wanted and not self._ports:
            await self._open(set(left))
        if not web.https:
            self._https.close()

    async def _open(self, places: set[tuple[str, str]]) -> None:
        for description, versions in sorted(places - set(self._ports)):
            try:
                self._ports[description, versions] = await self._listen(description, versions)
            except (CannotListenError, OSError) as error:
                log.error("the portal is not served: {error}", error=str(error).rstrip("."))

    async def _listen(self, description: str, versions: str) -> Any:
        assert self._site is not None
        factory: Any = self._site
        if versions:
            # The reactor's own listenSSL is gone where TLS was not loaded with it.
            from twisted.protocols.tls import TLSMemoryBIOFactory

            factory = TLSMemoryBIOFactory(self._https.opened(versions.split(",")), False, self._site, self._reactor)
            factory.noisy = False
        return await serverFromString(self._reactor, description).listen(factory)

    def close(self) -> Deferred[Any]:
        """Lets nobody in; fires when that is over."""
        self._https.close()
        ports = [*self._ports.values(), *([self._control] if self._control is not None else [])]
        return DeferredList([port.stopListening() for port in ports])


@define(eq=False)
class PortalChange:
    """Has the portal served as another configuration says. `doors` gives those of now, None while they are closed."""

    _doors: Callable[[], Doors | None]

    def leave(self, config: Config) -> Deferred[Any]:
        """Nothing has to stop before."""
        return succeed(None)

    def start(self, config: Config) -> None:
        """Begins to serve it so."""
        doors = self._doors()
        if doors is not None:
            served = Deferred.fromCoroutine(doors.serve(config.web))
            served.addErrback(lambda failure: log.failure("the portal is not served as it should be", failure))


async def open_doors(
    config: Config,
    view: View,
    actions: Actions,
    subscribe: Subscribe,
    downloads: Downloads,
    reactor: Any,
    wall: Wall,
    gate: Gate | None,
    https: Https,
    tokens: Tokens,
    watch: Watch,
) -> Doors:
    """Opens the control socket, for its owner only, and the portal, for whoever the gate lets in; `subscribe` is the
    hub's."""
    control = build_control_site(actions.table, clock=reactor, downloads=downloads)
    if gate is None:
        doors = Doors(reactor, https)
    else:
        site = build_site(
            actions.table,
            Sources(view.box, view.devices, view.lines, view.uplinks, wall, config.box.timezone, view.panel),
            subscribe=subscribe,
            clock=reactor,
            traces=actions.traces,
            downloads=downloads,
            gate=gate,
            tokens=tokens,
            watched=Watched(watch.recent, watch.figures, watch.ailing),
        )
        doors = Doors(reactor, https, gate, site)
    doors.open_control(str(config.box.state_dir / SOCKET), control)
    if gate is not None:
        try:
            await first_user(config, gate.users)
            await doors.serve(config.web)
        except OSError as error:
            log.error("the portal is not served: its users cannot be kept: {error}", error=error)
    return doors
