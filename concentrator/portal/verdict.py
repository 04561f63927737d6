"""Whether the box is well, in one sentence: do its devices answer, and does what they say leave it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from concentrator.api import DeviceState, UplinkState
from concentrator.portal.numbers import count, moment
from concentrator.portal.words import Say

SERVICES = {"mqtt": "MQTT", "ftp": "FTP"}


def verdict(
    devices: Sequence[DeviceState],
    uplinks: Sequence[UplinkState],
    say: Say,
    now: float,
    zone: tzinfo,
    language: str = "en",
) -> str:
    """The first sentence of the Info page."""
    return " ".join(filter(None, (_field(devices, say), _way_out(uplinks, say, now, zone, language))))


def service_name(uplink: UplinkState) -> str:
    """An uplink as people call it: MQTT, FTP, or one of several by its own name."""
    kind = SERVICES.get(uplink.kind, uplink.kind)
    return kind if uplink.name == uplink.kind else f"{kind} {uplink.name.partition('.')[2] or uplink.name}"


def _field(devices: Sequence[DeviceState], say: Say) -> str:
    if not devices:
        return say("verdict.empty")
    bad = sum(state.health in ("doubtful", "silent") for state in devices)
    new = sum(state.health == "new" for state in devices)
    if bad:
        return say("verdict.part", bad=count(bad), n=count(len(devices)))
    if new:
        return say("verdict.new", new=count(new), n=count(len(devices)))
    return say("verdict.good_one") if len(devices) == 1 else say("verdict.good", n=count(len(devices)))


def _way_out(uplinks: Sequence[UplinkState], say: Say, now: float, zone: tzinfo, language: str) -> str:
    if not uplinks:
        return say("verdict.no_uplink")
    down = next((uplink for uplink in uplinks if not uplink.is_up), None)
    if down is None:
        return say("verdict.reaches", service=f" {say('verdict.and')} ".join(service_name(each) for each in uplinks))
    if down.since is None:
        return say("verdict.not_yet", service=service_name(down))
    since = moment(down.since, now, zone, language)
    if down.waiting is None:
        return say("verdict.lost", service=service_name(down), t=since)
    return say("verdict.held", service=service_name(down), t=since, k=count(down.waiting))
