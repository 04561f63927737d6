"""SunSpec devices as pysunspec2 lays them out: the register images are of its encoder, none of ours."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import sunspec2.device

from concentrator.model.errors import NoReply, Refused

Values = Mapping[str, Any]
WHO = {"Mn": "Acme", "Md": "X-1", "Opt": "net", "Vr": "1.2.3", "SN": "A-0815"}


def content(
    number: int, values: Values | None = None, groups: list[Values] | None = None, length: int | None = None
) -> bytes:
    """A model's registers, header included: `values` by the definition's names, as they are on the wire, everything
    else not implemented; `groups` for what repeats in it; `length` where it is to say another one than it should."""
    values = values or {}
    sunspec2.device.set_model_defs_path([sunspec2.device.models_dir])
    definition = sunspec2.device.get_model_def(number)["group"]
    size = sum(point["size"] for point in definition["points"])
    repeated = definition.get("groups", ())
    if groups is not None:
        size += len(groups) * sum(point["size"] for point in repeated[0]["points"])
    words, place = [number, size - 2, *[0] * (size - 2)], 0
    for point in definition["points"]:
        if groups is not None and point["name"] == repeated[0].get("count"):
            words[place] = len(groups)
            values = {**values, point["name"]: len(groups)}
        place += point["size"]
    model = sunspec2.device.Model(model_id=number, model_len=size - 2, data=struct.pack(f">{size}H", *words))
    made_groups = getattr(model, repeated[0]["name"]) if groups else ()
    for group, said in ((model, values), *zip(made_groups, groups or (), strict=True)):
        assert said.keys() <= group.points.keys(), said.keys() - group.points.keys()
        for name, point in group.points.items():
            if name in said:
                point.value = said[name]
            elif group is not model or name not in ("ID", "L"):
                point.value = None
    made = model.get_mb()
    assert len(made) == 2 * size
    if length is not None:
        made = struct.pack(">HH", number, length) + made[4 : 4 + 2 * length].ljust(2 * length, b"\xff")
    return made


def registers(base: int, *models: bytes, end: bytes = b"\xff\xff\x00\x00") -> dict[int, int]:
    """The holding registers of a device with that chain of models."""
    made = b"SunS" + b"".join(models) + end
    return {base + n: word for n, (word,) in enumerate(struct.iter_unpack(">H", made))}


def common(**said: str) -> bytes:
    """The model that tells who a device is."""
    return content(1, {**WHO, **said})


class Device:
    """The far end of conversations: holding registers that may change at any time; reads of others are refused with
    `refusal`, or not answered at `silent` addresses. `asked`: (address, count) of each read; `written` likewise of each
    write, with its registers."""

    def __init__(self, content: Mapping[int, int], silent: range = range(0), refusal: int = 2) -> None:
        self.registers = dict(content)
        self.silent = silent
        self.refusal = refusal
        self.asked: list[tuple[int, int]] = []
        self.written: list[tuple[int, tuple[int, ...]]] = []

    def put(self, content: Mapping[int, int]) -> None:
        """Has other registers in place of those it had."""
        self.registers = dict(content)

    def answer(self, request: bytes) -> Any:
        """The reply to a request (RTU framing), in the form a conversation is sent it."""
        function, address, last = struct.unpack(">xBHH", request[:6])
        if function == 6:
            self.written.append((address, (last,)))
            self.registers[address] = last
            return None
        if function == 16:
            words = struct.unpack(f">{last}H", request[7:-2])
            self.written.append((address, words))
            self.registers.update(enumerate(words, address))
            return None
        assert function == 3
        self.asked.append((address, last))
        if address in self.silent:
            raise NoReply(f"nothing at {address}")
        if not all(place in self.registers for place in range(address, address + last)):
            raise Refused(self.refusal, f"exception {self.refusal}")
        return b"".join(self.registers[place].to_bytes(2, "big") for place in range(address, address + last))

    def run(self, conversation: Any) -> Any:
        """Has a conversation with it to its end; gives its result, or raises what it raised."""
        try:
            transaction = next(conversation)
            while True:
                try:
                    reply = self.answer(transaction.request)
                except (Refused, NoReply) as error:
                    transaction = conversation.throw(error)
                else:
                    transaction = conversation.send(reply)
        except StopIteration as ended:
            return ended.value
