"""Settings › Panel and inputs: whose front the box shows, what its inputs do and what has its outputs on, with the
labels of the CMM365's PC program and forms (CMM365-2G manual, 5.1). Hides which sections of the configuration these
are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from concentrator.panel.functions import INPUTS, InputFunction, OutputFunction
from concentrator.panel.lights import Scheme
from concentrator.portal.config_form import ConfigPage, Key, config_page, grouped, keys_of
from concentrator.portal.house import House
from concentrator.web.access import Role
from concentrator.web.forms import Entry
from concentrator.web.route import Reply, Route, Visit, see_other

PATH = "/settings/panel"
_FUNCTIONS = ("usual", *InputFunction)


def input_routes(house: House) -> Iterator[Route]:
    """`/settings/panel`."""
    pages = _Pages(house)
    yield Route(PATH, Role.VIEWER, pages.settings, pages.change, Role.INSTALLER)


class _Pages:
    def __init__(self, house: House) -> None:
        self._house = house

    async def settings(self, visit: Visit) -> Reply:
        """What the inputs and outputs do."""
        return self._drawn(await config_page(self._house, visit, keys_of(self._groups())))

    async def change(self, visit: Visit) -> Reply:
        """Saves it."""
        page = await config_page(self._house, visit, keys_of(self._groups()))
        await page.take()
        return see_other(visit.path) if await page.save() else self._drawn(page)

    def _drawn(self, page: ConfigPage) -> Reply:
        lead = self._house.say(page.visit)(f"inputs.lead_{self._house.sources.panel().scheme}")
        groups = grouped(page, self._groups())
        return self._house.draw(
            page.visit, "setting.html", page=page, form=page.form, groups=groups, state=lead, lines=[]
        )

    def _groups(self) -> Sequence[tuple[str, tuple[Key, ...]]]:
        """The fields, as far as the model has the outputs; lines can be named where there are any."""
        sources = self._house.sources
        lines = [line.name for line in sources.lines()]
        scheme = Key("panel", "scheme", "inputs.scheme", Entry.CHOICE, list(Scheme))
        ports = [
            Key("panel", f"{port}_lines", f"inputs.{port}_lines", Entry.TICKS, lines) for port in ("link", "rs232")
        ]
        relays = [output.name for output in sources.panel().outputs if output.name.startswith("relay")]
        return (
            ("", (scheme, *(ports if lines else ()))),
            *((f"inputs.input_{number}", _input_keys(f"input.{number}")) for number in range(1, INPUTS + 1)),
            *((f"inputs.{relay}", (_output_key(f"output.{relay}"),)) for relay in relays),
        )


def _input_keys(section: str) -> tuple[Key, ...]:
    return (
        Key(section, "function", "inputs.function", Entry.CHOICE, _FUNCTIONS),
        Key(section, "active", "inputs.active", Entry.CHOICE, ("closed", "open")),
        Key(section, "delay", "inputs.delay"),
    )


def _output_key(section: str) -> Key:
    return Key(section, "function", "inputs.output", Entry.CHOICE, tuple(OutputFunction))
