"""Looking for whoever answers on a line: every Modbus ID is asked for one register, and who answers is asked who it is.
Hides the order (all IDs by function 03, then the silent ones by function 04, for some devices have only one of them),
and how a device is recognised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from attrs import asdict, define, evolve, field, frozen
from twisted.internet.defer import Deferred, succeed

from concentrator.api import Station, Taken
from concentrator.model.errors import NoReply, NotOfProfile, WireError
from concentrator.model.profile import DeviceProfile
from concentrator.poll.enquiry import PROBES, TIMEOUT_S, Enquiry, Framing, Run, Testimony, in_words, said
from concentrator.poll.identify import Recogniser


@frozen
class Found:
    """Whoever is at a Modbus ID: how it `answered`, in words; the keys of the `profiles` that it fits; what it says of
    itself; the device of the configuration that it is `known` as; why it is not quite understood, if so."""

    unit: int
    answered: str = ""
    profiles: tuple[str, ...] = ()
    serial: str = ""
    model: str = ""
    firmware: str = ""
    known: str = ""
    trouble: str = ""

    def as_json(self) -> dict[str, object]:
        """The same as JSON carries it."""
        return asdict(self) | {"profiles": list(self.profiles)}


Told = Callable[[float, str, Sequence[Found]], None]
"""`told(done, text, found)`: how far it is (0 … 1), what it is at, and what was found so far."""


@define(eq=False)
class Scan:
    """One look over Modbus IDs of a line. `station` gives what reads a device of a profile; `profiles` are those that
    one may be of, `recognisers` know further ones; `there`: who is known to be at an ID and need not be asked; `rest`
    is called after every turn and fires when the next may begin."""

    run: Run
    framing: Framing
    station: Callable[[DeviceProfile, int], Station]
    profiles: Sequence[DeviceProfile]
    told: Told
    there: Sequence[Found] = ()
    timeout_s: float = TIMEOUT_S
    rest: Callable[[], Deferred[None]] = lambda: succeed(None)
    recognisers: Sequence[Recogniser] = ()
    _found: dict[int, Found] = field(factory=dict, init=False)
    _enquiry: Enquiry = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._enquiry = Enquiry(self.run, self.framing, self.timeout_s, self.rest)

    def over(self, units: Iterable[int]) -> Deferred[list[Found]]:
        """Asks every unit; fires with all that were found, by ID. Fails with LineLost where the line is lost, with
        Cancelled when it is cancelled; what was found until then was told."""
        self._found = {found.unit: found for found in self.there}
        return Deferred.fromCoroutine(self._over([unit for unit in units if unit not in self._found]))

    async def _over(self, units: Sequence[int]) -> list[Found]:
        silent = list(units)
        for part, function in enumerate(PROBES):
            asked, silent = silent, []
            for place, unit in enumerate(asked):
                self._tell((part + place / len(asked)) / len(PROBES), f"{in_words(function)}, ID {unit}")
                sign = await self._enquiry.sign(unit, function)
                if sign is None:
                    silent.append(unit)
                else:
                    self._found[unit] = await self._identified(Found(unit, sign.answered, trouble=sign.trouble))
        self._tell(1.0, "all IDs were asked")
        return self._all()

    async def _identified(self, found: Found) -> Found:
        """The same with the profiles that it fits, and what the first of these reads of it."""
        if found.trouble:
            return found
        testimony = Testimony(self._enquiry, found.unit)
        fitting = [profile for profile in self.profiles if await testimony.fits(profile)]
        for recognise in self.recognisers:
            fitting += [each.profile for each in await recognise(self._enquiry, found.unit)]
        if not fitting:
            return found
        found = evolve(found, profiles=tuple(profile.key for profile in fitting))
        try:
            taken: Taken = await self._enquiry.turn(found.unit, self.station(fitting[0], found.unit).identify())
        except (WireError, NoReply, NotOfProfile) as error:
            return evolve(found, trouble=str(error))
        serial, model, firmware = (said(fitting[0], name, taken.values) for name in ("serial", "model", "firmware"))
        return evolve(found, serial=serial, model=model, firmware=firmware)

    def _tell(self, done: float, text: str) -> None:
        self.told(done, text, self._all())

    def _all(self) -> list[Found]:
        return [found for _, found in sorted(self._found.items())]
