"""Everything that can be asked of a box, put together: the action table over its parts, before any road to it is
open. What it takes to do something is loaded when it is first asked for: a box that runs by itself is asked little."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.logger import Logger

from concentrator.actions.table import Action, ActionTable, AuditEntry
from concentrator.actions.tasks import Tasks
from concentrator.actions.tracing import Traces
from concentrator.api import DeviceState, LineState, PanelState, UplinkState, Wall
from concentrator.app.devices import DeviceList
from concentrator.app.field import Field
from concentrator.app.front import Front
from concentrator.app.link import Links
from concentrator.app.past import Past
from concentrator.app.ways import Ways
from concentrator.profile.catalogue import Catalogue

if TYPE_CHECKING:
    from concentrator.actions.https import Certificates
    from concentrator.actions.settings import Settings
    from concentrator.actions.system import Reboot
    from concentrator.actions.tokens import Tokens
    from concentrator.actions.users import Accounts
    from concentrator.app.services import Services

Promise = tuple[str, Callable[[], Iterable[Action]]]
"""The names of some actions, with blanks between, and what makes these."""

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
    ways: Ways
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
    for promises in (_of_devices, _of_lines, _of_gensets, _of_the_past, _of_the_box, _of_ways):
        for names, make in promises(view, works, built, wall):
            built.table.promise(names.split(), make)
    return built


def _of_devices(view: View, works: Works, built: Actions, wall: Wall) -> Iterator[Promise]:
    def presenting() -> Iterable[Action]:
        from concentrator.actions.present import present_actions

        return present_actions(box=view.box, devices=view.devices, lines=view.lines, uplinks=view.uplinks, wall=wall)

    def listing() -> Iterable[Action]:
        from concentrator.actions.devices import device_actions
        from concentrator.actions.present import whole_device_json
        from concentrator.app.bus_actions import prober

        def show(uid: str) -> object:
            return whole_device_json(next(state for state in view.devices() if state.uid == uid))

        return device_actions(works.devices, show, prober(works.field_, works.catalogue, works.devices.taken))

    def linking() -> Iterable[Action]:
        from concentrator.actions.linking import link_actions

        return link_actions(works.links.mode, works.links.lines)

    def choosing() -> Iterable[Action]:
        from concentrator.actions.catalogue import catalogue_actions

        return catalogue_actions(works.catalogue, lambda key: works.catalogue.again().get(key))

    def writing() -> Iterable[Action]:
        from concentrator.actions.writing import writing_actions

        return writing_actions(works.field_.write, works.field_.read, works.field_.unit)

    yield "status devices.list device.get lines.list uplinks.list", presenting
    yield "device.add device.change device.remove", listing
    yield "link.start link.stop link.status link.list", linking
    yield "catalogue.search catalogue.choices catalogue.get", choosing
    yield "device.write device.read", writing


def _of_lines(view: View, works: Works, built: Actions, wall: Wall) -> Iterator[Promise]:
    def tracing() -> Iterable[Action]:
        from concentrator.actions.tracing import tracing_actions

        return tracing_actions(built.traces)

    def waiting() -> Iterable[Action]:
        from concentrator.actions.tasks import task_actions

        return task_actions(built.tasks)

    def looking() -> Iterable[Action]:
        from concentrator.app.bus_actions import bus_actions, prober

        probe = prober(works.field_, works.catalogue, works.devices.taken)
        return bus_actions(works.field_, works.catalogue, built.tasks, built.traces, probe)

    def on_m_bus() -> Iterable[Action]:
        from concentrator.app.mbus import mbus_actions_of

        return mbus_actions_of(works.field_, built.tasks, works.devices, works.settings)

    yield "line.get line.trace line.evidence", tracing
    yield "task.get task.list task.cancel", waiting
    yield "scan device.identify device.probe", looking
    yield "mbus.search mbus.read mbus.set_address mbus.reset mbus.set_speed", on_m_bus


def _of_gensets(view: View, works: Works, built: Actions, wall: Wall) -> Iterator[Promise]:
    def telling() -> Iterable[Action]:
        from concentrator.actions.gensets import genset_actions

        return genset_actions(lambda: works.field_.gensets.states() if works.field_.gensets is not None else ())

    def ordering() -> Iterable[Action]:
        from concentrator.actions.orders import order_actions
        from concentrator.app.orders import Ordering

        ordering = Ordering(works.field_, wall, works.devices.report, works.front.inhibit)
        return order_actions(ordering.command, ordering.raw)

    yield "gensets.list genset.status", telling
    yield "genset.command modbus.raw", ordering


def _of_the_past(view: View, works: Works, built: Actions, wall: Wall) -> Iterator[Promise]:
    def history() -> Iterable[Action]:
        from concentrator.actions.history import history_actions

        return history_actions(works.past.view(), wall)

    def trends() -> Iterable[Action]:
        from concentrator.actions.trends import trend_actions

        return trend_actions(works.past.trends(), wall)

    def events() -> Iterable[Action]:
        from concentrator.actions.events import event_actions

        return event_actions(works.past.happened, wall)

    yield "history.get", history
    yield "history.trend history.count", trends
    yield "events.list", events


def _of_the_box(view: View, works: Works, built: Actions, wall: Wall) -> Iterator[Promise]:
    def settings() -> Iterable[Action]:
        from concentrator.actions.settings import settings_actions

        return settings_actions(works.settings)

    def services() -> Iterable[Action]:
        from concentrator.app.services import service_actions

        return service_actions(works.services, built.tasks, view.uplinks, wall)

    def system() -> Iterable[Action]:
        from concentrator.actions.system import system_actions

        return system_actions(works.reboot)

    def panel() -> Iterable[Action]:
        from concentrator.actions.panel import panel_actions

        return panel_actions(works.front.panel, works.front)

    def users() -> Iterable[Action]:
        from concentrator.actions.users import user_actions

        assert works.accounts is not None, "promised where there are accounts"
        return user_actions(works.accounts)

    def https() -> Iterable[Action]:
        from concentrator.actions.https import https_actions

        return https_actions(works.certificates)

    def tokens() -> Iterable[Action]:
        from concentrator.actions.tokens import token_actions

        return token_actions(works.tokens, wall.now)

    yield "config.get config.set", settings
    yield (
        "mqtt.test ftp.test certificate.put journal.status clock.status commissioning.get commissioning.note",
        services,
    )
    yield "reboot", system
    yield "panel.get output.set input.set button.press panel.lamp_test", panel
    if works.accounts is not None:
        yield "user.list user.add user.reset user.role user.remove", users
    yield "https.get https.install https.make", https
    yield "token.list token.add token.remove", tokens


def _of_ways(view: View, works: Works, built: Actions, wall: Wall) -> Iterator[Promise]:
    ways = works.ways

    def gateways() -> Iterable[Action]:
        from concentrator.actions.gateways import gateway_actions

        return gateway_actions(
            lambda: ways.states("mbus_gateway"), lambda name: ways.way("mbus_gateway").disconnect(name)
        )

    def slaves() -> Iterable[Action]:
        from concentrator.actions.slave import slave_actions

        return slave_actions(lambda: ways.states("modbus_slave"), lambda: ways.way("modbus_slave").mapped())

    def clouds() -> Iterable[Action]:
        from concentrator.actions.smartgen import smartgen_actions

        return smartgen_actions(
            lambda: ways.states("smartgen"), lambda session, caller: ways.way("smartgen").reset(session, caller)
        )

    def messages() -> Iterable[Action]:
        from concentrator.actions.messages import message_actions

        return message_actions(lambda: ways.states("sms"), lambda *what: ways.way("sms").send(*what))

    def modems() -> Iterable[Action]:
        from concentrator.actions.modems import modem_actions

        return modem_actions(lambda: ways.states("modem"))

    yield "mbus.gateways mbus.gateway.disconnect", gateways
    yield "slave.states slave.map", slaves
    yield "smartgen.sessions smartgen.reset_defaults", clouds
    yield "sms.state sms.send", messages
    yield "modem.state", modems


def traces_of(field: Field) -> Traces:
    """The traces of the field's lines."""
    return Traces(
        field.line_states,
        field.traced,
        lambda line: {unit: (known.device.uid, known.profile) for unit, known in field.at(line).items()},
    )


def _audit(entry: AuditEntry) -> None:
    log.info("{entry}", entry=entry)
