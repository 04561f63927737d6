"""What a gateway counts, with the words of the CMe3000's web interface (its manual, Figures 6 and 9) for those figures
that it has too. Hides how seconds and counts are written there."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define

from concentrator.line.driver import DriverCounts

CONNECTS = 12
"""Connections in connect mode that the CMe3000 shows; here too it is always off, and they stay 0."""


@define
class Statistics:
    """What was counted since the gateway began. Of clients: `completed_accepts` that got the wire, `disconnects` of
    such, `dropped_accepts` that were turned away, `denied` among them as they may not connect from where they are, and
    `connection_time_s` of all that got it. Of bytes: `from_serial` and `from_network` that were forwarded, and
    `dropped_late` of the client's, which would have been sent too late. `filtered`: frames that the client may not
    send."""

    completed_accepts: int = 0
    disconnects: int = 0
    dropped_accepts: int = 0
    denied: int = 0
    connection_time_s: float = 0.0
    from_serial: int = 0
    from_network: int = 0
    dropped_late: int = 0
    filtered: int = 0

    def as_shown(self, connected_s: float) -> dict[str, object]:
        """The figures of Figure 6, in its order, and after them what the CMe3000 does not count. `connected_s`: the
        connection time with that of the client that is there now."""
        return {
            "Completed Accepts": self.completed_accepts,
            "Completed Connects": 0,
            "Disconnects": self.disconnects,
            "Dropped Accepts": self.dropped_accepts,
            "Dropped Connects": 0,
            "Octets forwarded from Serial": self.from_serial,
            "Octets forwarded from Network": self.from_network,
            "Accept Connection Time": span(connected_s),
            **{f"Connect {number} Connection Time": span(0) for number in range(1, CONNECTS + 1)},
            "Denied Accepts": self.denied,
            "Octets dropped as late": self.dropped_late,
            "Frames filtered": self.filtered,
        }


def span(seconds: float) -> str:
    """A time as "0 days 00:00:00"."""
    days, rest = divmod(int(seconds), 86400)
    return f"{days} days {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"


def serial_as_shown(
    counts: DriverCounts | None, queued: tuple[int, int], lent: tuple[int, int]
) -> Mapping[str, tuple[int | None, int | None]]:
    """The figures of Figure 9, each as (receiver, transmitter), in its order; None where there is none, or the driver
    does not count it. `queued`: bytes unread and unsent; `lent`: bytes received and sent by clients, which stand in
    for those of a driver that does not count."""
    received, sent = (counts.received, counts.sent) if counts else lent
    return {
        "Bytes": (received, sent),
        "Breaks": (counts.breaks if counts else None, 0),
        "Parity Errors": (counts.parity if counts else None, None),
        "Framing Errors": (counts.framing if counts else None, None),
        "Overrun Errors": (counts.overrun if counts else None, None),
        "No Rx Buffer Errors": (counts.no_buffer if counts else None, None),
        "Queued Receive Bytes": (queued[0], None),
        "Queued Transmit Bytes": (None, queued[1]),
    }
