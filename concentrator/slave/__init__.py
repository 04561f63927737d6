"""The slave port: the box as a Modbus slave on a second line and as a Modbus TCP server, for whoever reads it."""
