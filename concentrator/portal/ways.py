"""The cells of the ways out, the uplinks: whether data leaves, and how much."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from concentrator.api import MonthsTraffic, UplinkState
from concentrator.portal.numbers import clock_time, count, fixed, since
from concentrator.portal.words import Say

# What an uplink without a lasting connection does instead: when it works, when it does not, before its first time.
_LASTING = ("way.connected", "way.not_connected", "way.connecting")
_WORDS = {"ftp": ("way.delivering", "way.not_delivering", "way.not_yet")}


def uplink_cells(
    uplink: UplinkState, say: Say, now: float, zone: tzinfo, language: str
) -> dict[str, Mapping[str, object]]:
    """How an uplink does, what is wrong with it, and its counts."""
    up, down, idle = map(say, _WORDS.get(uplink.kind, _LASTING))
    began = "" if uplink.since is None else f" {since(uplink.since, now, zone, language)}"
    if uplink.is_up:
        said, health = up + began, "up"
    elif uplink.trouble or uplink.last_success is not None:
        said, health = down + began, "down"
    else:
        said, health = idle, "idle"
    counts = [] if uplink.waiting is None else [say("way.waiting", n=count(uplink.waiting))]
    counts.append(say("way.delivered", n=count(uplink.delivered)))
    if uplink.rejected:
        counts.append(say("way.rejected", n=count(uplink.rejected)))
    if uplink.traffic is not None:
        counts.append(_traffic(uplink.traffic, say, language))
    if uplink.last_success is not None:
        counts.append(say("way.last", t=clock_time(uplink.last_success, zone)))
    return {
        f":uplink.{uplink.name}": {"text": said, "health": health},
        f":uplink.{uplink.name}.trouble": {"text": uplink.trouble},
        f":uplink.{uplink.name}.counts": {"text": " · ".join(counts)},
    }


def _traffic(traffic: MonthsTraffic, say: Say, language: str) -> str:
    """What this month has had, both ways, and of what."""
    used = fixed((traffic.received + traffic.sent) / 2**20, 1, language)
    if not traffic.cap:
        return say("way.traffic", used=used)
    cap = traffic.cap / 2**20
    return say("way.traffic_cap", used=used, cap=fixed(cap, 0 if cap == int(cap) else 1, language))
