"""The doors, put together: the action table, the control socket and the live page. Hides which of them listens where,
and that a door which cannot be opened costs that door only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from concentrator.actions.devices import device_actions
from concentrator.actions.linking import link_actions
from concentrator.actions.present import present_actions, whole_device_json
from concentrator.actions.table import Action, ActionTable, AuditEntry
from concentrator.actions.tasks import Tasks
from concentrator.actions.tracing import Traces
from concentrator.actions.writing import writing_actions
from concentrator.api import DeviceState, LineState, UplinkState, Wall
from concentrator.app.bus_actions import bus_actions, traces_of
from concentrator.app.config_sections import Config
from concentrator.app.control import SOCKET
from concentrator.app.devices import DeviceList
from concentrator.app.field import Field
from concentrator.app.link import Links
from concentrator.portal.doors import build_control_site, build_site
from concentrator.profile.catalogue import Catalogue

log = Logger()


@frozen
class View:
    """What people see of the box, each as a callable that gives the states of now."""

    box: Callable[[], Mapping[str, object]]
    devices: Callable[[], Sequence[DeviceState]]
    lines: Callable[[], Sequence[LineState]]
    uplinks: Callable[[], Sequence[UplinkState]]


@frozen(eq=False)
class Works:
    """What of the box can be worked through its doors."""

    field_: Field
    devices: DeviceList
    links: Links
    catalogue: Catalogue


@frozen(eq=False)
class Doors:
    """The ports that listen, and the tasks that were begun through them."""

    _ports: tuple[Any, ...]
    _tasks: Tasks

    def close(self) -> Deferred[Any]:
        """Gives up the tasks and lets nobody in; fires when that is over."""
        return DeferredList([self._tasks.stop(), *(port.stopListening() for port in self._ports)])


def build_table(view: View, works: Works, tasks: Tasks, traces: Traces, wall: Wall) -> ActionTable:
    """Everything that can be asked of a box."""
    table = ActionTable(_audit)
    for action in _actions(view, works, tasks, traces, wall):
        table.register(action)
    return table


def _actions(view: View, works: Works, tasks: Tasks, traces: Traces, wall: Wall) -> Iterator[Action]:
    def show(uid: str) -> object:
        return whole_device_json(next(state for state in view.devices() if state.uid == uid))

    yield from present_actions(box=view.box, devices=view.devices, lines=view.lines, uplinks=view.uplinks, wall=wall)
    yield from device_actions(works.devices, show)
    yield from link_actions(works.links.mode)
    yield from writing_actions(works.field_.write, works.field_.read, works.field_.unit)
    yield from bus_actions(works.field_, works.catalogue, tasks, traces)


async def open_doors(config: Config, view: View, works: Works, reactor: Any, wall: Wall) -> Doors:
    """Opens the control socket, for its owner only, and the live page, on loopback."""
    tasks, traces = Tasks(wall), traces_of(works.field_)
    table = build_table(view, works, tasks, traces, wall)
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
        subscribe=works.field_.hub.subscribe,
        wall=wall,
        clock=reactor,
        zone=config.box.timezone,
        traces=traces,
    )
    site.noisy = False
    for description in config.web.loopback_listen():
        try:
            ports.append(await serverFromString(reactor, description).listen(site))
        except CannotListenError as error:
            log.error("the portal is not served: {error}", error=str(error).rstrip("."))
    return Doors(tuple(ports), tasks)


def _audit(entry: AuditEntry) -> None:
    log.info("{entry}", entry=entry)
