"""pymodbus's server with so many holding and input registers from 40000 and from 0 on: KIND PORT UNIT, where KIND is
`tcp` (PORT: of 127.0.0.1) or `serial` (PORT: a path, 19200 8N1). Says "ready" when it listens."""

import asyncio
import sys

from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

COUNT = 200


def registers() -> list[SimData]:
    """A table of registers."""
    return [SimData(start, values=list(range(COUNT)), datatype=DataType.REGISTERS) for start in (0, 40000)]


async def main(kind: str, port: str, unit: int) -> None:
    """Serves for ever."""
    bits = [SimData(0, values=[0] * 16, datatype=DataType.BITS)]
    devices = [SimDevice(unit, (bits, bits, registers(), registers()))]
    if kind == "serial":
        server = ModbusSerialServer(devices, framer=FramerType.RTU, port=port, baudrate=19200)
    else:
        server = ModbusTcpServer(devices, framer=FramerType.SOCKET, address=("127.0.0.1", int(port)))
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
