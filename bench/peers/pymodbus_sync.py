"""pymodbus's synchronous client, reading slave after slave for ever: PORT SLAVES READS [TIMEOUT_S]."""

import sys

from pymodbus.client import ModbusSerialClient
from pymodbus.exceptions import ModbusException

from bench.peers import Orders


def read_for_ever(orders: Orders) -> None:
    """One connection, one request after the other, as its documentation shows it."""
    client = ModbusSerialClient(orders.port, baudrate=9600, **orders.patience())
    client.connect()
    while True:
        for slave, address, count in orders.round():
            try:
                reply = client.read_holding_registers(address, count=count, device_id=slave)
                assert not reply.isError() and len(reply.registers) == count
            except ModbusException:
                if not orders.is_forgiving:
                    raise


read_for_ever(Orders.given(sys.argv))
