"""Looking for meters on an M-Bus: at every primary address, or by secondary addresses, where meters that answer at once
are told apart. Hides that every probe is a turn of its own, so that others on the line go on between two of them, and
what a probe of a line full of meters can hear."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import asdict, define, field, frozen
from twisted.internet.defer import Deferred, succeed

from concentrator.model.errors import Garbled
from concentrator.wire.conversation import Conversation
from concentrator.wire.mbus_address import ANYBODY, SecondaryAddress
from concentrator.wire.mbus_frame import HIGHEST_PRIMARY
from concentrator.wire.mbus_search import searching, share_done
from concentrator.wire.mbus_talk import PROBE_ATTEMPTS, Crowd, deselect, probe, probe_primary
from concentrator.wire.mbus_units import MEDIA

Run = Callable[[str, Conversation[Any]], Deferred[Any]]
"""`run(station, conversation)`: holds the wire for a conversation, when its turn comes."""
SEARCH = "search"
"""What the line knows a search as: it is no meter's."""
PRIMARY = range(HIGHEST_PRIMARY + 1)


@frozen
class FoundMeter:
    """A meter that answers: its secondary `address` (empty where it does not say), the `primary` one it was found at
    (None: it was selected), its maker, what it measures, the device of the configuration that it is `known` as, and
    why it is not quite understood, if so."""

    address: str
    primary: int | None = None
    manufacturer: str = ""
    version: int | None = None
    medium: str = ""
    known: str = ""
    trouble: str = ""

    def as_json(self) -> dict[str, object]:
        """The same as JSON carries it."""
        return asdict(self)


Told = Callable[[float, str, Sequence[FoundMeter]], None]
"""`told(done, text, found)`: how far it is (0 … 1), what it is at, and what was found so far."""


@define(eq=False)
class MeterSearch:
    """One search. `wait_s`: how long an answer may take to begin; `character_s`: how long a character takes on the
    wire, 0 where that is not known; `known` gives the device of the configuration that has an address (a secondary one,
    a primary one), empty for none; `rest` is called after every turn and fires when the next may begin. `probes`
    counts."""

    run: Run
    wait_s: float
    told: Told
    known: Callable[[SecondaryAddress | None, int | None], str] = lambda address, primary: ""
    attempts: int = PROBE_ATTEMPTS
    character_s: float = 0.0
    rest: Callable[[], Deferred[None]] = lambda: succeed(None)
    probes: int = field(default=0, init=False)
    _found: list[FoundMeter] = field(factory=list, init=False)

    def primary(self, addresses: Iterable[int] = PRIMARY) -> Deferred[list[FoundMeter]]:
        """Asks at each primary address; fires with all that were found. Fails with LineLost where the line is lost,
        with Cancelled when it is cancelled; what was found until then was told. The same below."""
        return Deferred.fromCoroutine(self._primary(list(addresses)))

    def secondary(self, mask: SecondaryAddress = ANYBODY) -> Deferred[list[FoundMeter]]:
        """Looks for all whose secondary address matches a mask. Fails with Garbled besides, where there is nothing but
        noise."""
        return Deferred.fromCoroutine(self._secondary(mask))

    async def _primary(self, addresses: Sequence[int]) -> list[FoundMeter]:
        for place, address in enumerate(addresses):
            self.told(place / len(addresses), f"primary address {address}", tuple(self._found))
            outcome = await self._turn(probe_primary(address, self.wait_s, self.attempts, self.character_s))
            if isinstance(outcome, SecondaryAddress):
                self._found.append(self._meter(outcome, address))
            elif outcome is Crowd.COLLISION:
                self._found.append(self._odd("", address, "several meters answer at once, or noise"))
            elif outcome is not None:
                self._found.append(self._odd("", address, "it does not say who it is"))
        return self._over("all primary addresses were asked")

    async def _secondary(self, mask: SecondaryAddress) -> list[FoundMeter]:
        addresses: list[SecondaryAddress] = []
        unresolved: list[SecondaryAddress] = []
        steps = searching(addresses, unresolved, mask)
        here = next(steps)
        counted = 0
        try:
            while True:
                self.told(share_done(here), f"{here}", tuple(self._found))
                outcome = await self._turn(probe(here, self.wait_s, self.attempts, self.character_s))
                try:
                    here = steps.send(outcome)
                finally:
                    self._found += [self._meter(each, None) for each in addresses[counted:]]
                    counted = len(addresses)
        except StopIteration:
            pass
        except Garbled:
            await self.run(SEARCH, deselect(self.wait_s))
            raise
        for each in unresolved:
            self._found.append(self._odd(str(each), None, "meters with this address cannot be told apart, or noise"))
        await self.run(SEARCH, deselect(self.wait_s))
        return self._over("all digits were asked")

    async def _turn(self, conversation: Conversation[Any]) -> Any:
        self.probes += 1
        outcome = await self.run(SEARCH, conversation)
        await self.rest()
        return outcome

    def _over(self, text: str) -> list[FoundMeter]:
        self.told(1.0, f"{text}, {self.probes} probes", tuple(self._found))
        return list(self._found)

    def _meter(self, address: SecondaryAddress, primary: int | None) -> FoundMeter:
        medium = MEDIA.get(address.medium, f"medium {address.medium:02X}")
        known = self.known(address, primary)
        return FoundMeter(str(address), primary, address.manufacturer, address.raw[6], medium, known)

    def _odd(self, address: str, primary: int | None, trouble: str) -> FoundMeter:
        return FoundMeter(address, primary, known=self.known(None, primary), trouble=trouble)
