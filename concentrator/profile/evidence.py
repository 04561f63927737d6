"""Exchanges from a real wire as the evidence a profile file keeps: the whole frames, and the values the profile makes
of them. Hides which points an exchange brings, and how it is written as TOML."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable
from functools import lru_cache

from concentrator.model.errors import Fault
from concentrator.model.profile import Block, DeviceProfile, Evidence
from concentrator.model.reading import Value
from concentrator.profile.decode import compile_block
from concentrator.wire.modbus import READ_CODE
from concentrator.wire.modbus_words import frame_of

_READS = {code: function for function, code in READ_CODE.items()}
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BYTES_A_LINE = 32

_decoder = lru_cache(maxsize=64)(compile_block)  # the same few reads again and again


def evidence_of(profile: DeviceProfile, request: bytes, response: bytes, source: str) -> Evidence | None:
    """A read and its answer, frames as on the wire, as evidence for a profile; None where they are no such exchange or
    bring none of its values."""
    asked, answered = frame_of(request), frame_of(response)
    if asked is None or answered is None or asked.unit != answered.unit:
        return None
    function = _READS.get(asked.pdu[0])
    if function is None or len(asked.pdu) != 5:
        return None
    address, count = struct.unpack(">HH", asked.pdu[1:])
    size = (count + 7) // 8 if function.is_bits else 2 * count
    data = answered.pdu[2:]
    if answered.pdu[:2] != bytes((asked.pdu[0], size & 0xFF)) or len(data) != size:
        return None
    within = range(address, address + count)
    points = tuple(
        point for point in profile.points if point.function is function and all(at in within for at in point.addresses)
    )
    values = _decoder(Block(function, address, count, points))(data)
    return Evidence(source, request, response, values) if values else None


def evidence_faults(profile: DeviceProfile, file: str) -> tuple[Fault, ...]:
    """The exchanges of a profile that do not decode to just the values they are kept with."""
    faults = []
    for number, kept in enumerate(profile.evidence, 1):
        found = evidence_of(profile, kept.request, kept.response, kept.source)
        if found is None:
            expected = "a read and its answer, checksums included"
            faults.append(Fault(file, f"evidence[{number}]", "response", kept.response.hex(" ")[:60], expected))
            continue
        for name in dict.fromkeys((*kept.values, *found.values)):
            told, decoded = kept.values.get(name, "nothing"), found.values.get(name, "nothing")
            if told != decoded:
                faults.append(Fault(file, f"evidence[{number}]", name, str(told), f"{decoded}, as it decodes"))
    return tuple(faults)


def as_toml(evidence: Iterable[Evidence]) -> str:
    """Pieces of evidence as a profile file has them, to be put at its end."""
    return "\n".join(map(_section, evidence))


def _section(evidence: Evidence) -> str:
    response = evidence.response
    starts = range(0, len(response), _BYTES_A_LINE)
    rows = [_hex(response[start : start + _BYTES_A_LINE]) for start in starts]
    quotes = '"""\n' if len(rows) > 1 else '"'
    lines = [
        "[[evidence]]",
        f"source = {_text(evidence.source)}",
        f'request = "{_hex(evidence.request)}"',
        f"response = {quotes}" + "\n".join(rows) + quotes.rstrip(),
        "",
        "[evidence.values]",
    ]
    lines += [f"{_key(name)} = {_written(value)}" for name, value in evidence.values.items()]
    return "\n".join(lines) + "\n"


def _hex(data: bytes) -> str:
    return data.hex(" ").upper()


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _written(value: Value) -> str:
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    """A TOML string: JSON's, but that DEL is to be escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
