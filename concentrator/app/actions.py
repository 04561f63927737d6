"""Everything that can be asked of a box, put together: the action table over its parts, before any road to it is
open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import frozen
from twisted.logger import Logger

from concentrator.actions.catalogue import catalogue_actions
from concentrator.actions.devices import device_actions
from concentrator.actions.events import event_actions
from concentrator.actions.gateways import gateway_actions
from concentrator.actions.history import history_actions
from concentrator.actions.https import Certificates, https_actions
from concentrator.actions.linking import link_actions
from concentrator.actions.panel import panel_actions
from concentrator.actions.present import present_actions, whole_device_json
from concentrator.actions.settings import Settings, settings_actions
from concentrator.actions.system import Reboot, system_actions
from concentrator.actions.table import Action, ActionTable, AuditEntry
from concentrator.actions.tasks import Tasks
from concentrator.actions.tokens import Tokens, token_actions
from concentrator.actions.tracing import Traces
from concentrator.actions.trends import trend_actions
from concentrator.actions.users import Accounts, user_actions
from concentrator.actions.writing import writing_actions
from concentrator.api import DeviceState, LineState, PanelState, UplinkState, Wall
from concentrator.app.bus_actions import bus_actions, prober, traces_of
from concentrator.app.devices import DeviceList
from concentrator.app.field import Field
from concentrator.app.front import Front
from concentrator.app.gateways import Gateways
from concentrator.app.link import Links
from concentrator.app.mbus import mbus_actions_of
from concentrator.app.past import Past
from concentrator.app.services import Services, service_actions
from concentrator.profile.catalogue import Catalogue

log = Logger()


@frozen
class View:
    """What people see of the box, each as a callable that gives the states of now."""

    box: Callable[[], Mapping[str, object]]
    devices: Callable[[], Sequence[DeviceState]]
    lines: Callable[[], Sequence[LineState]]
    uplinks: Callable[[], Sequence[UplinkState]]
    panel: Callable[[], PanelState] = PanelState


@frozen(eq=False)
class Works:
    """What of the box can be worked from outside."""

    field_: Field
    devices: DeviceList
    links: Links
    catalogue: Catalogue
    past: Past
    settings: Settings
    reboot: Reboot
    front: Front
    services: Services
    gateways: Gateways
    accounts: Accounts | None
    certificates: Certificates
    tokens: Tokens


@frozen(eq=False)
class Actions:
    """The table, and what its actions leave behind: tasks, and the traces of the lines."""

    table: ActionTable
    tasks: Tasks
    traces: Traces


def build_actions(view: View, works: Works, wall: Wall) -> Actions:
    """Everything that can be asked of a box."""
    built = Actions(ActionTable(_audit), Tasks(wall), traces_of(works.field_))
    for action in _actions(view, works, built, wall):
        built.table.register(action)
    return built


def _actions(view: View, works: Works, built: Actions, wall: Wall) -> Iterator[Action]:
    def show(uid: str) -> object:
        return whole_device_json(next(state for state in view.devices() if state.uid == uid))

    yield from present_actions(box=view.box, devices=view.devices, lines=view.lines, uplinks=view.uplinks, wall=wall)
    probe = prober(works.field_, works.catalogue, works.devices.taken)
    yield from device_actions(works.devices, show, probe)
    yield from link_actions(works.links.mode, works.links.lines)
    yield from catalogue_actions(works.catalogue, lambda key: works.catalogue.again().get(key))
    yield from writing_actions(works.field_.write, works.field_.read, works.field_.unit)
    yield from bus_actions(works.field_, works.catalogue, built.tasks, built.traces, probe)
    yield from mbus_actions_of(works.field_, built.tasks)
    yield from history_actions(works.past.view(), wall)
    yield from trend_actions(works.past.trends(), wall)
    yield from event_actions(works.past.happened, wall)
    yield from settings_actions(works.settings)
    yield from service_actions(works.services, built.tasks, view.uplinks, wall)
    yield from system_actions(works.reboot)
    yield from gateway_actions(works.gateways.states, works.gateways.disconnect)
    yield from panel_actions(works.front.panel, works.front.pressed)
    if works.accounts is not None:
        yield from user_actions(works.accounts)
    yield from https_actions(works.certificates)
    yield from token_actions(works.tokens, wall.now)


def _audit(entry: AuditEntry) -> None:
    log.info("{entry}", entry=entry)
