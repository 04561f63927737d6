"""What Twisted finds of CcMaster: the service `twistd ccmaster`, and `serial:` endpoints."""

from twisted.application.service import ServiceMaker

from concentrator.line.endpoint import SerialParser

service = ServiceMaker(
    "CcMaster", "concentrator.app.tap", "The energy concentrator: reads meters, stores, publishes.", "ccmaster"
)
serial = SerialParser()
