"""pymodbus's synchronous client, reading slave after slave for ever: PORT SLAVES REGISTERS."""

import sys

from pymodbus.client import ModbusSerialClient


def read_for_ever(port: str, slaves: int, registers: int) -> None:
    """One connection, one request after the other, as its documentation shows it."""
    client = ModbusSerialClient(port, baudrate=9600)
    client.connect()
    while True:
        for slave in range(1, slaves + 1):
            reply = client.read_holding_registers(0, count=registers, device_id=slave)
            assert not reply.isError() and reply.registers[0] == slave << 8


read_for_ever(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
