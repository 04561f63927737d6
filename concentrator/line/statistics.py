"""What a line and its stations did, counted. Counters only rise; rates are made of them by whoever asks."""

from __future__ import annotations

from attrs import asdict, define

from concentrator.model.errors import NoReply, Refused, WireError


@define
class Counters:
    """Counts since the line was made: `requests` sent, `answers` understood, `refusals` among them, `timeouts`,
    `garbled` and foreign answers, `late` or stray bytes, `bytes_out`, `bytes_in`, `busy_s` seconds the wire was used,
    `opened` times the port was opened."""

    requests: int = 0
    answers: int = 0
    refusals: int = 0
    timeouts: int = 0
    garbled: int = 0
    late: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    busy_s: float = 0.0
    opened: int = 0

    def count(self, sent: int, received: int, busy_s: float, error: Exception | None) -> None:
        """Adds one exchange."""
        self.requests += 1
        self.bytes_out += sent
        self.bytes_in += received
        self.busy_s += busy_s
        if error is None:
            self.answers += 1
        elif isinstance(error, Refused):
            self.answers += 1
            self.refusals += 1
        elif isinstance(error, NoReply):
            self.timeouts += 1
        elif isinstance(error, WireError):
            self.garbled += 1

    def as_mapping(self) -> dict[str, float]:
        """The counters by name."""
        return asdict(self)
