"""The slave's side of Modbus: what is asked rightly is answered, what is wrong gets the exception of the standard."""

from collections.abc import Sequence

import pytest
from attrs import define, field

from concentrator.sim.field import Field
from concentrator.sim.pattern import PatternSlave
from concentrator.sim.slave import BUSY, Refusal, answer, answer_at, framed, is_intact


@define
class Notebook:
    """A slave that writes down what it is told."""

    unit: int
    told: list[tuple[int, tuple[int, ...]]] = field(factory=list)

    def reply(self, frame: bytes, at: float) -> bytes | None:
        return answer_at(self.unit, self, frame, at)

    def read(self, address: int, count: int, at: float) -> Sequence[int]:
        return range(address, address + count)

    def write(self, address: int, values: Sequence[int], at: float) -> None:
        if address == 99:
            raise Refusal(BUSY)
        self.told.append((address, tuple(values)))


def ask(pdu: str, slave: Notebook | None = None) -> str:
    reply = answer(slave or Notebook(7), framed(7, bytes.fromhex(pdu)), 0.0)
    assert is_intact(reply)
    assert reply[0] == 7
    return reply[1:-2].hex()


@pytest.mark.parametrize("function", ["03", "04"])
def test_both_read_functions_give_the_same_registers(function: str) -> None:
    assert ask(f"{function} 0100 0002") == f"{function}0401000101"


def test_writes_are_carried_out_and_echoed() -> None:
    slave = Notebook(7)
    assert ask("06 0301 0002", slave) == "0603010002"
    assert ask("10 0304 0002 04 00010002", slave) == "1003040002"
    assert slave.told == [(0x301, (2,)), (0x304, (1, 2))]


@pytest.mark.parametrize(
    ("pdu", "reply"),
    [
        ("2B 0E 01 00", "ab01"),
        ("03 0000 0000", "8303"),
        ("03 0000 007E", "8303"),
        ("03 0000", "8303"),
        ("06 0000 0001 00", "8603"),
        ("10 0000 0002 02 0001", "9003"),
        ("10 0000 0002 04 0001", "9003"),
        ("10 0000 0000 00", "9003"),
        ("06 0063 0001", "8606"),
    ],
)
def test_what_is_wrong_gets_its_exception(pdu: str, reply: str) -> None:
    assert ask(pdu) == reply


def test_the_checksum_is_that_of_the_standard() -> None:
    assert framed(0xF7, bytes.fromhex("03 0F00 0009")).hex() == "f7030f000009924e"
    assert not is_intact(bytes.fromhex("f7030f000009924f"))
    assert not is_intact(b"\x01\x03")


def test_a_broadcast_reaches_everybody_and_is_not_answered() -> None:
    slaves = [Notebook(1), Notebook(2)]
    assert Field(slaves).replies(framed(0, bytes.fromhex("06 0001 0005")), 0.0) == []
    assert [slave.told for slave in slaves] == [[(1, (5,))]] * 2


def test_nobody_answers_at_an_empty_address() -> None:
    assert Field([Notebook(1)]).replies(framed(2, bytes.fromhex("03 0000 0001")), 0.0) == []


def test_two_slaves_at_one_address_both_answer() -> None:
    slaves = [PatternSlave(1, 10), Notebook(1), Notebook(2)]
    said = Field(slaves).replies(framed(1, bytes.fromhex("03 0003 0001")), 0.0)
    assert [reply[1:-2].hex() for reply in said] == ["03020103", "03020003"]


def test_a_pattern_slave_holds_its_own_addresses_and_nothing_else() -> None:
    slave = PatternSlave(3, 40)
    assert list(slave.read(38, 2, 0.0)) == [0x326, 0x327]
    for refused in (lambda: slave.read(39, 2, 0.0), lambda: slave.write(0, [1], 0.0)):
        with pytest.raises(Refusal):
            refused()
