"""A pymodbus server for `test_pymodbus`: `serve_pymodbus.py KIND PORT < devices.json`, where KIND is `serial`, `tcp` or
`rtu-over-tcp`, PORT a serial port or a TCP port of this machine, and devices.json {unit: {"holding": {address:
[registers]}, "coil": …, …}}. Says "ready" when it listens."""

import asyncio
import json
import sys

from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def tables(device):
    """pymodbus wants the four tables in the order coils, discrete inputs, holding, input."""
    kinds = (("coil", DataType.BITS), ("discrete", DataType.BITS), ("holding", None), ("input", None))
    return tuple(
        [
            SimData(int(address), values=values, datatype=kind or DataType.REGISTERS)
            for address, values in device.get(name, {"0": [0] * 16}).items()
        ]
        for name, kind in kinds
    )


async def main(kind, port, devices):
    served = [SimDevice(int(unit), tables(device)) for unit, device in devices.items()]
    if kind == "serial":
        server = ModbusSerialServer(served, framer=FramerType.RTU, port=port, baudrate=9600)
    else:
        framer = FramerType.SOCKET if kind == "tcp" else FramerType.RTU
        server = ModbusTcpServer(served, framer=framer, address=("127.0.0.1", int(port)))
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], sys.argv[2], json.load(sys.stdin)))
