"""What the six lights of a CMM365 say. Pure: from how the box stands to a pattern for each (CMM365-2G manual, 4.1).

The manual's gateway has one genset and one server; where the box has more, a light says the worst of its lines and the
least of its sessions. It does not say what POWER shows while there is power and no server: here it is green and blinks
slowly, for a dark one would say that there is no power. Of several meanings the one later in the manual's list wins, so
that a missing SIM card is seen although ALARM is on; ALARM itself says the rest.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from concentrator.panel.functions import Traffic
from concentrator.panel.lights import Pattern

LIGHTS = ("power", "alarm", "rs485_master", "rs485_slave", "gprs", "link")

_OF_TRAFFIC: Mapping[Traffic, Pattern] = {
    Traffic.UNUSED: Pattern.OFF,
    Traffic.BEGINNING: Pattern.OFF,
    Traffic.FAILING: Pattern.STEADY,
    Traffic.FLOWING: Pattern.BLINK,
}


@frozen
class Standing:
    """What the lights are about: how the talk goes on the RS-485 lines and on those of the LINK port, whether somebody
    asks on the slave port, whether there is an alarm; of the sessions with servers how many there are, are logged in,
    and exchange data; whether there is a SIM card, None where nobody knows."""

    rs485: Traffic = Traffic.UNUSED
    link: Traffic = Traffic.UNUSED
    is_slave_asked: bool = False
    is_alarmed: bool = False
    sessions: int = 0
    logged_in: int = 0
    online: int = 0
    has_sim: bool | None = None


def lights(now: Standing) -> dict[str, Pattern]:
    """What the lights say of a standing, by their names."""
    is_logged_in = 0 < now.logged_in == now.sessions
    is_online = 0 < now.online == now.sessions
    power = Pattern.STEADY if is_logged_in else Pattern.SLOW
    if now.is_alarmed:
        power = Pattern.RED
    if now.has_sim is False:
        power = Pattern.RED_BLINK
    return {
        "power": power,
        "alarm": Pattern.STEADY if now.is_alarmed else Pattern.OFF,
        "rs485_master": _OF_TRAFFIC[now.rs485],
        "rs485_slave": Pattern.BLINK if now.is_slave_asked else Pattern.OFF,
        "gprs": Pattern.BLINK if is_online else Pattern.STEADY if is_logged_in else Pattern.OFF,
        "link": _OF_TRAFFIC[now.link],
    }
