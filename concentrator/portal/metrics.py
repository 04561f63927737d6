"""The box in figures, as OpenMetrics, for Prometheus and whoever reads its format: lines, stations, devices, uplinks,
journal and the process. Pure. Hides names, units and how text is escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from concentrator.actions.present import HEALTHS
from concentrator.portal.cells import Sources

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@frozen
class Figures:
    """What is counted besides the states: of the process CPU seconds, resident bytes, open files, when it began (UTC
    seconds); of the journal its bytes, and the last number given; how each service stands, as its action tells it, by
    the kind of its sections."""

    cpu_s: float = 0.0
    resident: int = 0
    files: int = 0
    began_at: float = 0.0
    journal_bytes: int = 0
    last_n: int = 0
    services: Mapping[str, Sequence[Any]] = field(factory=dict)


@define
class _Family:
    """Samples of one name."""

    name: str
    kind: str
    text: str
    unit: str = ""
    samples: list[tuple[Mapping[str, str], float]] = field(factory=list)

    def add(self, value: float, **labels: str) -> None:
        """Adds a figure; what is no number is none."""
        if math.isfinite(value):
            self.samples.append((labels, value))

    def lines(self) -> Iterator[str]:
        yield f"# TYPE {self.name} {self.kind}"
        if self.unit:
            yield f"# UNIT {self.name} {self.unit}"
        yield f"# HELP {self.name} {_escaped(self.text)}"
        ending = {"counter": "_total", "info": "_info"}.get(self.kind, "")
        for labels, value in self.samples:
            said = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            yield f"{self.name}{ending}{f'{{{said}}}' if said else ''} {_number(value)}"


def exposition(sources: Sources, figures: Figures) -> bytes:
    """All figures of now."""
    families = (*_box(sources, figures), *_devices(sources), *_lines(sources), *_uplinks(sources), *_journal(figures))
    families = (*families, *_clouds(figures), *_messages(figures), *_slaves(figures))
    lines = [line for family in families if family.samples for line in family.lines()]
    return "\n".join([*lines, "# EOF", ""]).encode()


def _box(sources: Sources, figures: Figures) -> Iterable[_Family]:
    box = sources.box()
    info = _Family("ccmaster", "info", "the box")
    info.add(1, serial=str(box["serial"]), model=str(box["model"]), version=str(box["version"]))
    clock = _Family("ccmaster_clock_trusted", "gauge", "1 where the time can be believed")
    clock.add(sources.wall.is_trusted())
    cpu = _Family("process_cpu_seconds", "counter", "processor time", "seconds")
    cpu.add(figures.cpu_s)
    memory = _Family("process_resident_memory_bytes", "gauge", "memory in use", "bytes")
    memory.add(figures.resident)
    files = _Family("process_open_fds", "gauge", "open files, sockets and ports")
    files.add(figures.files)
    began = _Family("process_start_time_seconds", "gauge", "when the program began, since 1970", "seconds")
    began.add(figures.began_at)
    return info, clock, cpu, memory, files, began


def _devices(sources: Sources) -> Iterable[_Family]:
    health = _Family("ccmaster_device_health", "stateset", "how each device answers")
    seen = _Family(
        "ccmaster_device_last_seen_seconds", "gauge", "when each device last answered, since 1970", "seconds"
    )
    for state in sources.devices():
        for each in HEALTHS:
            health.add(state.health == each, device=state.uid, line=state.line, ccmaster_device_health=each)
        if state.last_seen is not None:
            seen.add(state.last_seen, device=state.uid, line=state.line)
    return health, seen


def _lines(sources: Sources) -> Iterable[_Family]:
    is_open = _Family("ccmaster_line_open", "gauge", "1 where the line is open")
    used = _Family(
        "ccmaster_line_used_ratio", "gauge", "the share of the last minute in which the wire was used", "ratio"
    )
    around = _Family("ccmaster_line_round_seconds", "gauge", "how long a round of the fast values takes", "seconds")
    counters: dict[str, _Family] = {}
    stations: dict[str, _Family] = {}
    for state in sources.lines():
        is_open.add(state.is_open, line=state.name)
        used.add(state.utilisation, line=state.name)
        if state.round_s is not None:
            around.add(state.round_s, line=state.name)
        for name, value in state.counters.items():
            family = counters.setdefault(name, _Family(f"ccmaster_line_{name}", "counter", f"{name} on the line"))
            family.add(value, line=state.name)
        for unit, counted in state.stations.items():
            for name, value in counted.items():
                words = f"{name} at the address"
                family = stations.setdefault(name, _Family(f"ccmaster_station_{name}", "counter", words))
                family.add(value, line=state.name, station=unit)
    return is_open, used, around, *counters.values(), *stations.values()


def _uplinks(sources: Sources) -> Iterable[_Family]:
    is_up = _Family("ccmaster_uplink_up", "gauge", "1 where the uplink is connected, or its last delivery succeeded")
    waiting = _Family("ccmaster_uplink_waiting_records", "gauge", "records that wait to be delivered", "records")
    delivered = _Family("ccmaster_uplink_delivered_records", "counter", "records delivered", "records")
    rejected = _Family("ccmaster_uplink_rejected_records", "counter", "records that were refused", "records")
    traffic = _Family("ccmaster_uplink_month_bytes", "gauge", "bytes carried this calendar month", "bytes")
    for state in sources.uplinks():
        is_up.add(state.is_up, uplink=state.name)
        delivered.add(state.delivered, uplink=state.name)
        rejected.add(state.rejected, uplink=state.name)
        if state.waiting is not None:
            waiting.add(state.waiting, uplink=state.name)
        if state.traffic is not None:
            traffic.add(state.traffic.received, uplink=state.name, direction="received")
            traffic.add(state.traffic.sent, uplink=state.name, direction="sent")
    return is_up, waiting, delivered, rejected, traffic


def _journal(figures: Figures) -> Iterable[_Family]:
    size = _Family("ccmaster_journal_size_bytes", "gauge", "the journal on the disk", "bytes")
    size.add(figures.journal_bytes)
    last = _Family("ccmaster_journal_records", "counter", "numbers given to records, ever", "records")
    last.add(figures.last_n)
    return size, last


def _clouds(figures: Figures) -> Iterable[_Family]:
    online = _Family("ccmaster_smartgen_online", "gauge", "1 where the cloud session takes data")
    counters = {
        name: _Family(f"ccmaster_smartgen_{name}", "counter", text)
        for name, text in (
            ("uploads", "uploads to the cloud server"),
            ("unanswered", "questions of the server that the controller did not answer"),
            ("written", "commands of the server that were carried out"),
            ("refused", "commands of the server that were not"),
            ("logins", "logins at the server"),
        )
    }
    for state in figures.services.get("smartgen", ()):
        online.add(state.is_online, session=state.name)
        for name, family in counters.items():
            family.add(float(state.figures[name]), session=state.name)
    return online, *counters.values()


def _messages(figures: Figures) -> Iterable[_Family]:
    ready = _Family("ccmaster_sms_ready", "gauge", "1 where the modem can send")
    waiting = _Family("ccmaster_sms_waiting", "gauge", "messages that wait to be sent")
    received = _Family("ccmaster_sms_received", "counter", "messages that came in")
    refused = _Family("ccmaster_sms_refused", "counter", "messages that were not heard")
    for state in figures.services.get("sms", ()):
        ready.add(state.is_ready, modem=state.name)
        waiting.add(state.waiting, modem=state.name)
        received.add(state.received, modem=state.name)
        refused.add(state.refused, modem=state.name)
    return ready, waiting, received, refused


def _slaves(figures: Figures) -> Iterable[_Family]:
    is_open = _Family("ccmaster_slave_open", "gauge", "1 where the slave port can be reached")
    clients = _Family("ccmaster_slave_clients", "gauge", "masters that are connected")
    requests = _Family("ccmaster_slave_requests", "counter", "requests that were answered")
    refused = _Family("ccmaster_slave_refused", "counter", "requests that were refused, by exception code")
    for state in figures.services.get("modbus_slave", ()):
        is_open.add(state.is_open, port=state.name)
        clients.add(len(state.clients), port=state.name)
        requests.add(state.reads, port=state.name, what="read")
        requests.add(state.writes, port=state.name, what="write")
        for code, count in state.refused.items():
            refused.add(count, port=state.name, code=code)
    return is_open, clients, requests, refused


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
