"""pymodbus's asynchronous client, one for each Modbus TCP device, each reading for ever: PORT DEVICES REGISTERS.
Devices are at the loopback addresses from 127.1.0.1 on."""

import asyncio
import sys

from pymodbus.client import AsyncModbusTcpClient

from bench.tcp_hosts import hosts


async def read_for_ever(host: str, port: int, registers: int) -> None:
    """One connection, one request after the other, as its documentation shows it."""
    client = AsyncModbusTcpClient(host, port=port)
    await client.connect()
    while True:
        reply = await client.read_holding_registers(0, count=registers, device_id=1)
        assert not reply.isError() and reply.registers[-1] == registers - 1


async def main(port: int, devices: int, registers: int) -> None:
    """All devices at once; the first error is the end."""
    await asyncio.gather(*(read_for_ever(host, port, registers) for host in hosts(devices)))


asyncio.run(main(*map(int, sys.argv[1:4])))
