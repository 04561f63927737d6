"""pymodbus's asynchronous client, reading slave after slave for ever: PORT SLAVES READS [TIMEOUT_S]."""

import asyncio
import sys

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException

from bench.peers import Orders


async def read_for_ever(orders: Orders) -> None:
    """One connection, one request after the other, as its documentation shows it."""
    client = AsyncModbusSerialClient(orders.port, baudrate=9600, **orders.patience())
    await client.connect()
    while True:
        for slave, address, count in orders.round():
            try:
                reply = await client.read_holding_registers(address, count=count, device_id=slave)
                assert not reply.isError() and len(reply.registers) == count
            except ModbusException:
                if not orders.is_forgiving:
                    raise


asyncio.run(read_for_ever(Orders.given(sys.argv)))
