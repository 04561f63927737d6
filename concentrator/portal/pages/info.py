"""The Info page: is this box well, and which one is it. And its label, to be printed and stuck on the cabinet."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from concentrator.portal.addresses import address_of_line
from concentrator.portal.cells import INFO_TOPIC
from concentrator.portal.house import House
from concentrator.portal.pages.start import commissioning
from concentrator.portal.verdict import service_name
from concentrator.web.access import Role
from concentrator.web.gate import Gate
from concentrator.web.route import Reply, Route, Visit


def info_routes(house: House, gate: Gate) -> Iterator[Route]:
    """`/info`, `/info/label` and its picture `/info/label.svg`."""

    async def info(visit: Visit) -> Reply:
        sources = house.sources
        return house.draw(
            visit,
            "info.html",
            house.cells(visit.language).of_topic(INFO_TOPIC),
            devices=sources.devices(),
            lines=[(line, address_of_line(line.name)) for line in sources.lines()],
            uplinks=[(uplink, service_name(uplink), f"/services/{uplink.kind}") for uplink in sources.uplinks()],
            commissioning=await commissioning(house, visit),
            topic=INFO_TOPIC,
        )

    def label(visit: Visit) -> Reply:
        """The label, with the password the box made for its first user while that is in use, for who may change it."""
        first = gate.users.first() if visit.may(Role.ADMINISTRATOR) else None
        return house.draw(visit, "label.html", here="/info", first=first)

    def picture(visit: Visit) -> Reply:
        box = house.sources.box()
        return Reply(qr(label_text(str(box["serial"]), str(box["mac"]))), content_type="image/svg+xml")

    yield Route("/info", Role.VIEWER, info)
    yield Route("/info/label", Role.VIEWER, label)
    yield Route("/info/label.svg", Role.VIEWER, picture)


def label_text(serial: str, mac: str) -> str:
    """What the label's code says: serial number and MAC address, a line each (CC-ID2)."""
    return "\n".join(filter(None, (serial, mac)))


def qr(text: str) -> bytes:
    """A text as a QR code: a picture in SVG that needs no style of its own."""
    import segno

    out = BytesIO()
    code = segno.make(text, micro=False, error="m")
    code.save(out, kind="svg", border=4, xmldecl=False, svgclass=None, lineclass=None, omitsize=True, light="#fff")
    return out.getvalue()
