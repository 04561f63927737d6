"""A pymodbus RTU server on a serial port, for `test_pymodbus_rtu`: `serve_pymodbus.py PORT < devices.json`, where
devices.json is {unit: {"holding": {address: [registers]}, "coil": …, …}}. Says "ready" when it listens."""

import asyncio
import json
import sys

from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer
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


async def main(port, devices):
    served = [SimDevice(int(unit), tables(device)) for unit, device in devices.items()]
    server = ModbusSerialServer(served, framer=FramerType.RTU, port=port, baudrate=9600)
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], json.load(sys.stdin)))
