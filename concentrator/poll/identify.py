"""Who is at one Modbus ID: the profiles whose rules it keeps, the likeliest first, with the values of each. Hides how
the likeliest is told where several fit: by the most rules, then by whose values all come, then by how many come, for
the devices of one maker often share their rules, and a small one is read as a large one only in part.

What has no addresses of its own is recognised in another way than by rules at them: by a `Recogniser`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import define, evolve, frozen

from concentrator.api import Station
from concentrator.dialect.sunspec_chain import MARKER, look, proposed
from concentrator.model.errors import NoReply, NotOfProfile, WireError
from concentrator.model.profile import DeviceProfile, Function
from concentrator.poll.enquiry import PROBES, Enquiry, Framing, Sign, Testimony, in_words
from concentrator.poll.probe import Probe, Probed
from concentrator.profile.recognise import marks
from concentrator.profile.sunspec import BASES
from concentrator.wire.conversation import Transaction
from concentrator.wire.modbus import read

READ_MOST = 5
"""So many of the profiles with the most rules are read, to tell which fits best."""

Profiles = Callable[[], Awaitable[Sequence[DeviceProfile]]]
Recogniser = Callable[[Enquiry, int], Awaitable[Sequence["Proposal"]]]
"""`recognise(enquiry, unit)`: the profiles that a unit is of."""


@frozen
class Proposal:
    """A profile that a device may be of: how many of its rules it keeps, which are all; what it was read to say, None
    where that was not tried, or failed; its `place` among those that were told apart in another way, from 0 on."""

    profile: DeviceProfile
    rules: int
    probed: Probed | None = None
    place: int = 0

    @property
    def rank(self) -> tuple[int, int, bool, int]:
        """The higher, the likelier."""
        if self.probed is None:
            return self.rules, -self.place, False, 0
        return self.rules, -self.place, not self.probed.missing, len(self.probed.values)

    def as_json(self) -> dict[str, object]:
        """The same as JSON carries it, without the values."""
        profile, probed = self.profile, self.probed
        return {
            "profile": profile.key,
            "type": profile.type,
            "brand": profile.brand,
            "series": profile.series,
            "status": profile.status.value,
            "rules": self.rules,
            "values": None if probed is None else len(probed.values),
            "missing": None if probed is None else len(probed.missing),
        }


@frozen
class Identity:
    """Whoever is at a Modbus ID: the `sign` of life, None where nobody answers, and the proposals, the likeliest
    first."""

    unit: int
    sign: Sign | None = None
    proposals: tuple[Proposal, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The same as JSON carries it: with what the device says of itself and its values, by the likeliest profile."""
        best = self.proposals[0].probed if self.proposals else None
        told: dict[str, object] = {"unit": self.unit, "answered": "", "trouble": ""}
        if self.sign is not None:
            told |= {"answered": self.sign.answered, "trouble": self.sign.trouble}
        told["profiles"] = [each.as_json() for each in self.proposals]
        who = best.who() if best is not None else dict.fromkeys(("serial", "model", "firmware"), "")
        read = best.as_json() if best is not None else {"values": [], "first": [], "missing": []}
        return told | who | {key: read[key] for key in ("values", "first", "missing")}


@define(eq=False)
class Identify:
    """One look at a Modbus ID. `station` gives what reads a device of a profile; `profiles` gives those with rules, and
    is asked only once somebody answers; `recognisers` know further ones; `tell(done, text)` hears how far it is
    (0 … 1) and what it is at."""

    enquiry: Enquiry
    station: Callable[[DeviceProfile, int], Station]
    profiles: Profiles
    seconds: Callable[[], float]
    tell: Callable[[float, str], None] = lambda done, text: None
    recognisers: Sequence[Recogniser] = ()

    async def over(self, unit: int) -> Identity:
        """Asks the unit. Raises LineLost where the line is lost."""
        sign = None
        for function in PROBES:
            self.tell(0.0, f"{in_words(function)}, ID {unit}")
            sign = await self.enquiry.sign(unit, function)
            if sign is not None:
                break
        if sign is None or sign.trouble:
            return Identity(unit, sign)
        return Identity(unit, sign, await self._proposals(unit))

    async def _proposals(self, unit: int) -> tuple[Proposal, ...]:
        testimony, fitting = Testimony(self.enquiry, unit), []
        profiles = await self.profiles()
        for place, profile in enumerate(profiles):
            self.tell(0.5 * place / len(profiles), f"is it {profile.brand} {profile.series}?")
            if await testimony.fits(profile):
                fitting.append(Proposal(profile, len(marks(profile))))
        for recognise in self.recognisers:
            fitting += await recognise(self.enquiry, unit)
        fitting.sort(key=lambda each: each.rank, reverse=True)
        tried = fitting[:READ_MOST]
        read = [await self._read(each, unit, place, len(tried)) for place, each in enumerate(tried)]
        return tuple(sorted([*read, *fitting[READ_MOST:]], key=lambda each: each.rank, reverse=True))

    async def _read(self, proposal: Proposal, unit: int, place: int, of: int) -> Proposal:
        """The same with what the device says, read by that profile."""

        def tell(done: float) -> None:
            self.tell(0.5 + 0.5 * (place + done) / of, f"reading it as {proposal.profile.key}")

        probe = Probe(self.enquiry, self.station(proposal.profile, unit), unit, self.seconds, tell)
        try:
            return evolve(proposal, probed=await probe.over())
        except (WireError, NoReply, NotOfProfile):
            return proposal


def sunspec(framing: Framing, profiles: Profiles) -> Recogniser:
    """Recognises SunSpec devices by the marker, their models and their maker; `profiles` gives those that are read by
    models, once one is found."""

    async def recognise(enquiry: Enquiry, unit: int) -> Sequence[Proposal]:
        def ask(address: int, count: int) -> Transaction:
            asked = framing(unit, read(Function.HOLDING, address, count), enquiry.timeout_s, 0.0)
            return evolve(asked, is_patient=True)

        for base in BASES:
            try:
                if await enquiry.read(unit, Function.HOLDING, base, len(MARKER) // 2) == MARKER:
                    device = await enquiry.turn(unit, look(ask, (base,)))
                    break
            except (WireError, NoReply, NotOfProfile):
                continue
        else:
            return ()
        if device is None:
            return ()
        known = {profile.key: profile for profile in await profiles()}
        found = [known[key] for key in proposed(device, known.values())]
        own = {each.key for each in found if each.brand.lower() in device.manufacturer.lower()}
        return [Proposal(each, 3 if each.key in own else 2, place=at) for at, each in enumerate(found)]

    return recognise
