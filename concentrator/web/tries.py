"""Tries to sign in that failed, and how long whoever made them has to wait: by address and by user, each a little
longer than the one before. Hides that addresses of one IPv6 network are one, that the tables stay small, and that
nobody can keep a user from signing in where he has signed in before."""

from __future__ import annotations

import ipaddress

from attrs import define
from twisted.internet.interfaces import IReactorTime

FREE = 5
"""Failures that cost nothing but themselves: people mistype."""
ADDRESS_LONGEST_S = 900.0
USER_LONGEST_S = 30.0
"""A user waits less than an address: he who waits is often not the one who tried."""
FORGOTTEN_S = 3600.0
TABLE_MOST = 1000


@define
class _Failures:
    count: int
    last_at: float
    until: float


class Tries:
    """The failures of late. Each table has at most TABLE_MOST rows: the oldest go first."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._by_address: dict[str, _Failures] = {}
        self._by_user: dict[str, _Failures] = {}
        self._trusted: dict[tuple[str, str], None] = {}

    def wait_s(self, address: str, user: str) -> float:
        """How long before the next try is looked at, in seconds; 0 for at once."""
        network, now = network_of(address), self._clock.seconds()
        found = [self._by_address.get(network)]
        if (network, user) not in self._trusted:
            found.append(self._by_user.get(user))
        return max(0.0, *(each.until - now for each in found if each is not None), 0.0)

    def failed(self, address: str, user: str) -> None:
        """One failed."""
        self._note(self._by_address, network_of(address), ADDRESS_LONGEST_S)
        self._note(self._by_user, user, USER_LONGEST_S)

    def passed(self, address: str, user: str) -> None:
        """One did not."""
        network = network_of(address)
        self._by_address.pop(network, None)
        self._by_user.pop(user, None)
        self._trusted.pop((network, user), None)
        self._trusted[network, user] = None
        if len(self._trusted) > TABLE_MOST:
            del self._trusted[next(iter(self._trusted))]

    def _note(self, table: dict[str, _Failures], key: str, longest_s: float) -> None:
        now = self._clock.seconds()
        known = table.pop(key, None)
        count = known.count + 1 if known is not None and now - known.last_at < FORGOTTEN_S else 1
        pause_s = 0.0 if count < FREE else min(longest_s, 2.0 ** min(count - FREE, 30))
        table[key] = _Failures(count, now, now + pause_s)
        if len(table) > TABLE_MOST:
            del table[next(iter(table))]


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 network of an IPv6 one, which one subscriber has."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
