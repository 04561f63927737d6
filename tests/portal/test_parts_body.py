"""concentrator.portal.parts_body: a long answer over REST, a part at a time."""

import json

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import fail, succeed

from concentrator.actions.table import Action, Permission
from concentrator.model.errors import JournalError
from concentrator.portal.doors import build_control_site
from tests.support.web import FakeBox, Visit


class Numbers:
    """Parts, and how many were asked for."""

    def __init__(self, *parts):
        self.left, self.asked = list(parts), 0

    def next_part(self):
        self.asked += 1
        part = self.left.pop(0) if self.left else None
        return fail(part) if isinstance(part, Exception) else succeed(part)


def visitor(clock, parts):
    box = FakeBox()
    box.table.register(Action("long", "", Permission.READ, (), lambda: parts))
    visitor = Visit(build_control_site(box.table, clock=clock), UNIXAddress(None))
    return visitor


def body(visitor):
    """The body as far as it came, out of its chunks."""
    rest, found = visitor.transport.value().partition(b"\r\n\r\n")[2], b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        found, rest = found + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return found


def test_parts_are_the_items_of_one_array(clock):
    one = visitor(clock, Numbers({"rows": [1]}, {"rows": [2]}))
    one.ask("/api/actions/long", method="POST")
    assert one.transport.value().startswith(b"HTTP/1.1 200 OK")
    assert json.loads(body(one)) == [{"rows": [1]}, {"rows": [2]}]
    one.end()


def test_no_part_is_asked_for_before_the_one_before_is_taken_away(clock):
    parts = Numbers(*range(1, 6))
    one = visitor(clock, parts)
    write = one.transport.writeSequence

    def full(data):
        write(data)
        one.transport.producer.pauseProducing()

    one.transport.writeSequence = full
    one.ask("/api/actions/long", method="POST")
    asked = parts.asked
    assert asked < 3
    one.transport.producer.resumeProducing()
    assert parts.asked == asked + 1
    one.end()
    assert parts.asked <= asked + 2, "nobody is there any more"


def test_a_fault_in_the_middle_breaks_the_answer_off(clock):
    one = visitor(clock, Numbers([1], JournalError("gone"), [3]))
    one.ask("/api/actions/long", method="POST")
    assert body(one) == b"[[1]"
    assert one.transport.disconnecting or one.transport.disconnected
    one.end()
