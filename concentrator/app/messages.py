"""The short messages of a box, put together: one messenger a section, its modem, and the genset it is about. Hides that
the genset is asked and ordered by actions like everybody's, so that permission and audit are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredList

from concentrator.actions.messages import SmsState
from concentrator.actions.table import Caller, Permission
from concentrator.api import Happened
from concentrator.app.config_sections import Config
from concentrator.app.config_sms import SmsSection
from concentrator.app.ways import Around
from concentrator.model.errors import NotConfirmed, Unknown
from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.model.words import hint

if TYPE_CHECKING:
    from concentrator.sms.messenger import Messenger
    from concentrator.sms.terms import Ears, SmsGateway

_ALLOWED = frozenset((Permission.READ, Permission.WRITE))


@frozen(eq=False)
class OrderedGenset:
    """A device of the box as short messages ask and order it."""

    _uid: str
    _around: Around

    async def _status(self, who: str) -> GensetStatus:
        found = await self._around.ask("genset.status", {"uid": self._uid}, Caller(who, _ALLOWED))
        return status_of(found)

    def status(self, who: str) -> Deferred[GensetStatus]:
        """How it is."""
        return Deferred.fromCoroutine(self._status(who))

    def command(self, command: str, who: str) -> Deferred[object]:
        """Has its controller carry out a command; fails with NotConfirmed where nothing said that it did."""
        arguments = {"uid": self._uid, "command": command}
        return self._around.ask("genset.command", arguments, Caller(who, _ALLOWED)).addCallback(_confirmed)


def _confirmed(result: Mapping[str, object]) -> object:
    if result.get("outcome") != "confirmed":
        raise NotConfirmed("the controller took the command, and nothing shows that it did it")
    return result


def status_of(said: Mapping[str, Any]) -> GensetStatus:
    """A genset's status from what the action `genset.status` gives."""
    return GensetStatus(
        mode=Mode(said["mode"]),
        is_running=said["running"],
        alarm=Alarm(said["alarm"]),
        mains_ok=said["mains_ok"],
        mains_on_load=said["mains_on_load"],
        gen_on_load=said["gen_on_load"],
        engine=said["engine"],
        alarms=tuple(said["alarms"]),
        details={name: each["value"] for name, each in said["values"].items()},
        units={name: each["unit"] for name, each in said["values"].items()},
    )


@frozen(eq=False)
class _Made:
    section: SmsSection
    messenger: Messenger


@define(eq=False, repr=False)
class Messages:
    """The messengers of a configuration, by name."""

    _around: Around
    _made: dict[str, _Made] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._around.heard(self._happened)
        self._around.front.sources.has_sim = self.has_sim

    def start(self, config: Config) -> None:
        """Begins those that the configuration has and that are not there yet."""
        for name, section in _wanted(config).items():
            if name not in self._made:
                messenger = self._build(name, section)
                self._made[name] = _Made(section, messenger)
                messenger.start()

    def leave(self, config: Config) -> Deferred[Any]:
        """Ends those that the configuration has no more, or has with other settings; fires when that is done."""
        wanted = _wanted(config)
        left = [name for name, made in self._made.items() if wanted.get(name) != made.section]
        return DeferredList([self._made.pop(name).messenger.stop() for name in left])

    def stop(self) -> Deferred[Any]:
        """Ends all of them."""
        made, self._made = self._made, {}
        return DeferredList([each.messenger.stop() for each in made.values()])

    def states(self) -> list[SmsState]:
        """What people see of each."""
        return [made.messenger.state() for made in self._made.values()]

    def send(self, name: str, text: str, number: str) -> None:
        """Sends a text by one of them, to all of its numbers where `number` is empty. Raises Unknown, TooOften."""
        if name not in self._made:
            raise Unknown(f"section [sms.{name}]{hint(name, self._made)}")
        self._made[name].messenger.send_test(text, number)

    def has_sim(self) -> bool | None:
        """Whether a modem has a SIM; None where nobody knows."""
        known = [made.messenger.has_sim() for made in self._made.values()]
        return any(known) if any(each is not None for each in known) else None

    def _happened(self, happened: Happened) -> None:
        for made in self._made.values():
            made.messenger.happened(happened.name, happened.facts)

    def _build(self, name: str, section: SmsSection) -> Messenger:
        from concentrator.sms import messenger
        from concentrator.sms.alarms import AlarmTerms
        from concentrator.sms.desk import DeskTerms

        around = self._around
        is_plain = section.alphabet == "gsm"
        alarms = AlarmTerms(section.device, section.warnings, section.cleared, is_plain, section.alarms)
        desk = DeskTerms(section.numbers, section.orders, section.detail, section.most_per_hour)
        terms = messenger.MessengerTerms(name, section.driver, section.numbers, alarms, desk)
        beside = messenger.Around(around.reactor, around.wall, around.report, around.field_.alias)
        genset = OrderedGenset(section.device, around) if section.device else None
        return messenger.Messenger(terms, beside, genset, lambda ears: _modem(section, around.reactor, ears))


def build(around: Around) -> Messages:
    """The short messages of a box, none of them begun."""
    return Messages(around)


def _wanted(config: Config) -> Mapping[str, SmsSection]:
    return {name: section for name, section in config.services.get("sms", {}).items() if section.enabled}


def _modem(section: SmsSection, reactor: Any, ears: Ears) -> SmsGateway:
    if section.driver == "at":
        from concentrator.line.endpoint import endpoint_from
        from concentrator.sms.at_sms import AtSms

        assert section.endpoint is not None, "the rules of the file say so"
        endpoint = endpoint_from(reactor, section.endpoint)
        return AtSms(endpoint, reactor, ears, section.delivery_reports, section.message_center)
    from concentrator.app.programs import mmcli
    from concentrator.sms.modem_manager import MmcliSms

    return MmcliSms(mmcli(reactor), section.modem, reactor, ears, section.delivery_reports)
