"""The front of a box, put together: its panel on a board, lights that say how the box stands, a button that does what
it is held for, inputs and outputs with the functions of the configuration. Hides whose scheme it shows, and that what
is needed by another scheme or by functions is loaded only where they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.actions.table import Caller, Permission
from concentrator.api import Happened, InputState, PanelState, Report, UplinkState
from concentrator.app.config_panel import USUAL, InputSection
from concentrator.app.config_sections import Config
from concentrator.app.link import Links
from concentrator.model.errors import Denied, Unknown
from concentrator.model.features import FEATURES
from concentrator.panel.board import Board, VirtualBoard
from concentrator.panel.button import Gesture, gesture_of
from concentrator.panel.functions import LIGHTING, REMOTE_S, InputFunction, OutputFunction, is_wanted
from concentrator.panel.inputs import InputTerms
from concentrator.panel.lights import Modem, Pattern, Scheme, Situation, lights
from concentrator.panel.panel import Panel
from concentrator.system.files import write_whole

if TYPE_CHECKING:
    from concentrator.app.circumstances import Outlook
    from concentrator.app.wires import Wire
    from concentrator.model.genset import Alarm

OUTPUTS = "outputs.json"
BOARDS: dict[str, Callable[[], Board]] = {"virtual": VirtualBoard}
"""How the boards are made that the configuration may name."""
LOOK_S = 1.0
"""How often outputs with functions are looked at, besides at once when something happened."""
LAMP_TEST_S = 5.0
"""How long a lamp test goes on; the CMM365's as long as its button is held, which a page cannot tell meanwhile."""
RESET_S = 3.0
"""How long all lights blink, once each second, after a reset: three times (CMM365-2G manual, 4.1)."""

log = Logger()


@define(eq=False)
class Sources:
    """What other parts of the box say of themselves, put in by them when they are built: the alarms of all gensets;
    whether somebody asks on a slave port; whether there is a SIM card, None where nobody knows; what the modem does."""

    gensets: Callable[[], Iterable[Alarm]] = tuple
    is_slave_asked: Callable[[], bool] = lambda: False
    has_sim: Callable[[], bool | None] = lambda: None
    modem: Callable[[], Modem] = lambda: Modem.OFF


@define(eq=False)
class Front:
    """The front of a running box. `wires` gives the lines; `ask` carries an action out, as for everybody outside; both
    are put in before it is started."""

    panel: Panel
    _links: Links
    _uplinks: Callable[[], Sequence[UplinkState]]
    _clock: Any
    _report: Report
    _config: Config
    sources: Sources = field(factory=Sources, init=False)
    wires: Callable[[], Mapping[str, Wire]] = field(default=dict, init=False)
    ask: Callable[[str, Mapping[str, object], Caller], Deferred[Any]] = field(init=False)
    _sessions: dict[str, tuple[bool, bool]] = field(factory=dict, init=False)
    _looking: Outlook | None = field(default=None, init=False)
    _round: LoopingCall = field(init=False)
    _showing: tuple[str, float] = field(default=("", 0.0), init=False)
    _commanded: IDelayedCall | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._round = LoopingCall(self.settle)
        self._round.clock = self._clock
        self.panel.wired.changed = self.settle
        self._arrange()

    # -- its life

    def start(self, config: Config) -> None:
        """Has the inputs and outputs do what the configuration says."""
        self._config = config
        self._arrange()
        is_followed = bool(self.panel.functions())
        if is_followed and not self._round.running:
            self._look_on()
        elif not is_followed and self._round.running:
            self._round.stop()
        self.settle()

    def leave(self, config: Config) -> Deferred[None]:
        """Nothing has to end before another configuration is at work."""
        return succeed(None)

    def stop(self) -> None:
        """Nothing of it is going on any more; its outputs stay as they are."""
        if self._round.running:
            self._round.stop()
        if self._commanded is not None:
            self._commanded.cancel()
            self._commanded = None
        self.panel.stop()

    def _look_on(self) -> None:
        """Has the outputs looked at again and again, whatever one look comes to."""
        self._round.start(LOOK_S, now=False).addErrback(self._look_failed)

    def _look_failed(self, failure: Failure) -> None:
        log.failure("outputs with functions could not be looked at", failure)
        self._look_on()

    def _arrange(self) -> None:
        inputs, outputs = self._config.services.get("input", {}), self._config.services.get("output", {})
        self.panel.arrange({name: OutputFunction(section.function) for name, section in outputs.items()})
        self.panel.wired.arrange(
            {number: self._terms(number, inputs.get(str(number), InputSection())) for number in (1, 2)}
        )

    def _terms(self, number: int, section: InputSection) -> InputTerms:
        function = section.function
        if function == USUAL:
            is_lamp_test = number == 2 and self._scheme is Scheme.CMM365  # its manual, Form 1
            function = InputFunction.LAMP_TEST if is_lamp_test else InputFunction.NONE
        return InputTerms(InputFunction(function), section.active == "open", section.delay_s)

    @property
    def _scheme(self) -> Scheme:
        return Scheme(self._config.panel.scheme)

    # -- what others ask of it

    def state(self) -> PanelState:
        """What people see of it now."""
        scheme, showing = self._scheme, self._shown()
        patterns = self._patterns(scheme)
        if showing:
            patterns = dict.fromkeys(patterns, Pattern.BLINK if showing == "reset" else Pattern.STEADY)
        panel = self.panel
        return PanelState(patterns, panel.outputs(), panel.inputs(), panel.board.name, scheme, showing)

    def inputs(self) -> tuple[InputState, ...]:
        """Each input as it is, the first one first."""
        return self.panel.inputs()

    def is_active(self, function: str) -> bool:
        """Whether an input of that function is active."""
        return bool(self.panel.wired.active(InputFunction(function)))

    def inhibit(self) -> str:
        """Why no command from afar may reach a genset now; empty where one may (CMM365-2G manual, Form 2, 2)."""
        active = self.panel.wired.active(InputFunction.REMOTE_INHIBIT)
        return f"input {active[0]} inhibits remote control" if active else ""

    # -- what happens to it

    def hear(self, happened: Happened) -> None:
        """Something happened in the box."""
        if happened.name == "smartgen.state":
            facts = happened.facts
            told = (bool(facts.get("is_logged_in")), bool(facts.get("is_online")))
            self._sessions[str(facts.get("session"))] = told
        if happened.name in ("smartgen.state", "genset.alarm"):
            self.settle()

    def remote_commanded(self) -> None:
        """A cloud server's command was carried out: outputs with that function are on for 20 s."""
        if self._commanded is not None:
            self._commanded.cancel()
        self._commanded = self._clock.callLater(REMOTE_S, self._pulse_over)
        self.settle()

    def settle(self) -> None:
        """Outputs with functions become what these say."""
        functions = self.panel.functions()
        if functions:
            now = self._outlook.circumstances(self._config, is_commanded=self._commanded is not None)
            for name, function in functions.items():
                self.panel.follow(name, is_wanted(function, now))

    def _pulse_over(self) -> None:
        self._commanded = None
        self.settle()

    # -- lights

    def lamp_test(self) -> float:
        """Every light is on for a while; gives for how many seconds."""
        self._showing = ("lamp_test", self._clock.seconds() + LAMP_TEST_S)
        return LAMP_TEST_S

    def _shown(self) -> str:
        """What all lights say together."""
        what, until = self._showing
        if self._clock.seconds() < until:
            return what
        return "lamp_test" if self.panel.wired.active(*LIGHTING) else ""

    def _patterns(self, scheme: Scheme) -> dict[str, Pattern]:
        if scheme is Scheme.CMM365:
            from concentrator.panel import cmm365

            return cmm365.lights(self._outlook.standing(self._config))
        uplinks = self._uplinks()
        shown = lights(
            Situation(
                is_linking=self._is_linking(),
                uplinks=len(uplinks),
                uplinks_up=sum(uplink.is_up for uplink in uplinks),
                modem=self.sources.modem() if self.panel.features.has_modem else None,
            )
        )
        patterns = {"blue": shown.blue, "green": shown.green}
        return patterns if shown.yellow is None else {**patterns, "yellow": shown.yellow}

    @property
    def _outlook(self) -> Outlook:
        if self._looking is None:
            from concentrator.app.circumstances import Outlook

            inputs, around = self.panel.wired, (self.wires, self._uplinks, self._sessions)
            self._looking = Outlook(self._clock, inputs, self.sources, *around)
        return self._looking

    # -- the button

    async def pressed(self, held_s: float, caller: Caller) -> str:
        """Does what holding the button for so many seconds does, and gives what that was. Raises Denied where the
        caller may not have that done."""
        gesture = gesture_of(held_s, self._scheme)
        if gesture is Gesture.LAMP_TEST:
            self.lamp_test()
            return gesture
        if gesture is Gesture.FACTORY and self._scheme is Scheme.CMM365:
            await self._reset(caller)
            return gesture
        return self._link() if gesture is Gesture.LINK and self._links.lines() else Gesture.NOTHING

    def _link(self) -> Gesture:
        on = [mode for mode in map(self._links.mode, self._links.lines()) if mode.is_on]
        for mode in on or map(self._links.mode, self._links.lines()):
            turning: Deferred[None] = mode.stop() if on else mode.start()
            turning.addErrback(lambda failure: log.warn("the button: {reason}", reason=failure.getErrorMessage()))
        return Gesture.LINK

    def _is_linking(self) -> bool:
        return self._links.is_on()

    async def _reset(self, caller: Caller) -> None:
        """What a CMM365 keeps becomes as it left the factory: inputs, outputs, sessions with servers."""
        if Permission.CONFIG not in caller.allowed:
            raise Denied(f"a reset changes the configuration, which {caller.name} may not")
        services = self._config.services
        keys = {"input": ("function", "active", "delay"), "output": ("function",)}
        places = [(kind, name) for kind in keys for name in services.get(kind, {})]
        changes = {f"{kind}.{name}": dict.fromkeys(keys[kind]) for kind, name in places}
        if changes:
            await self.ask("config.set", {"changes": changes}, caller)
        for name in services.get("smartgen", {}):
            with suppress(Unknown):  # it is off, or its device is gone: it is left as it is
                await self.ask("smartgen.reset_defaults", {"session": name}, caller)
        self._showing = ("reset", self._clock.seconds() + RESET_S)
        text = "the button was held for 10 s: inputs, outputs and cloud sessions are as they left the factory"
        self._report("panel.reset", {"by": caller.name, "text": text})


def build_front(
    config: Config,
    links: Links,
    uplinks: Callable[[], Sequence[UplinkState]],
    report: Report,
    now: Callable[[], float],
    clock: Any,
) -> Front:
    """The front of the box of a configuration, its outputs as they were. `now` gives UTC seconds."""
    file: Path = config.box.state_dir / OUTPUTS
    board = BOARDS[config.panel.board]()
    panel = Panel(board, FEATURES[config.box.model], file, write_whole, report, now, clock)
    front = Front(panel, links, uplinks, clock, report, config)
    panel.start()
    return front
