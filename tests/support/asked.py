"""A line with slaves that are asked one question at a time, and what it was asked; profiles that are known by marks."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, fail, succeed

from concentrator.dialect.modbus import dialects
from concentrator.model.errors import ConcentratorError, NoReply
from concentrator.model.profile import DeviceProfile, Function, Point
from concentrator.model.quantity import Kind, Quantity
from concentrator.poll.enquiry import Enquiry
from concentrator.poll.scan import Scan
from concentrator.profile.catalogue import Catalogue
from concentrator.sim.slave import framed
from concentrator.wire.conversation import Conversation

CCM = Catalogue().get("energycm/ccm")
SERIAL = {2 + n: int.from_bytes(b"0420020081"[2 * n : 2 * n + 2], "big") for n in range(5)}
SAYS = {0x0000: 0x434D, **SERIAL, 0x0007: 4, 0x0008: 0x2C06}


class Slave:
    """A device with some registers by function; others are refused, or not answered where it is `shy`. A read may go
    beyond them, but not over what it `lacks`."""

    def __init__(self, registers=None, functions=(3, 4), shy=False, lacks=()):
        self.lacks = lacks
        self.registers = SAYS if registers is None else registers
        self.functions = functions
        self.shy = shy

    def answer(self, frame):
        function, address, count = frame[1], int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
        if function not in self.functions:
            return None if self.shy else framed(frame[0], bytes((function | 0x80, 1)))
        if address not in self.registers or not set(self.lacks).isdisjoint(range(address, address + count)):
            return framed(frame[0], bytes((function | 0x80, 2)))
        content = b"".join(self.registers.get(address + n, 0).to_bytes(2, "big") for n in range(count))
        return framed(frame[0], bytes((function, 2 * count)) + content)


class Bus:
    """A line with slaves by ID; `asked` are the IDs and functions of every request, `patient` whether each counts in
    full; `heard` is what the scan told."""

    def __init__(self, **slaves):
        self.slaves = {int(name[1:]): slave for name, slave in slaves.items()}
        self.asked, self.patient, self.heard, self.rests = [], [], [], 0
        self.damage: Callable[[bytes], bytes] = lambda reply: reply
        self.broken: ConcentratorError | None = None

    def run(self, unit: int, conversation: Conversation) -> Deferred:
        try:
            transaction = next(conversation)
            while True:
                self.asked.append((transaction.request[0], transaction.request[1]))
                self.patient.append((transaction.is_patient, transaction.wait_s))
                if self.broken is not None:
                    conversation.close()
                    return fail(self.broken)
                slave = self.slaves.get(transaction.request[0])
                reply = slave.answer(transaction.request) if slave else None
                try:
                    if reply is None:
                        raise NoReply("nothing came")
                    answer = transaction.expect(self.damage(reply), True)
                except ConcentratorError as error:
                    transaction = conversation.throw(error)
                else:
                    transaction = conversation.send(answer)
        except StopIteration as ended:
            return succeed(ended.value)
        except ConcentratorError as error:
            return fail(error)

    def rest(self):
        self.rests += 1
        return succeed(None)

    def scan(self, *profiles, **options):
        dialect = dialects()["modbus-rtu"]
        return Scan(
            self.run,
            dialect.framing(),
            lambda profile, unit: dialect.station(profile, unit, {}),
            profiles or (CCM,),
            lambda *told: self.heard.append(told),
            rest=self.rest,
            **options,
        )

    def enquiry(self):
        return Enquiry(self.run, dialects()["modbus-rtu"].framing(), rest=self.rest)


def marked(key, *marks):
    points = [
        Point(
            Quantity(f"mark{n}", "", Kind.STATE),
            Function.HOLDING,
            address,
            1,
            "u16",
            match=match,
            identifies=True,
            polled=False,
        )
        for n, (address, match) in enumerate(marks)
    ]
    return DeviceProfile(key, "meter", "x", "x", "x", (), tuple(points))
