"""The catalogue of device profiles, to be searched and read: what there is a profile for, how sure its facts are, and
what is doubted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from concentrator.model.errors import Unknown
from concentrator.portal.house import House
from concentrator.portal.labels import label_in
from concentrator.web.access import Role
from concentrator.web.route import Reply, Route, Visit

HERE = "/devices/catalogue"


def catalogue_routes(house: House) -> Iterator[Route]:
    """`/devices/catalogue` and a page for each profile."""

    async def catalogue(visit: Visit) -> Reply:
        q = visit.asked("q").strip()
        found: Any = await house.ask(visit, "catalogue.search", text=q, limit=0)
        hits = found["hits"]
        models = sum(len(hit["models"]) for hit in hits)
        return house.draw(visit, "catalogue.html", hits=hits, models=models, q=q, here="/devices/add")

    async def profile(visit: Visit, brand: str, series: str) -> Reply | None:
        try:
            told: Any = await house.ask(visit, "catalogue.get", profile=f"{brand}/{series}")
        except Unknown:
            return None
        return house.draw(visit, "profile.html", profile=told, label=label_in(visit.language), here="/devices/add")

    yield Route(HERE, Role.VIEWER, catalogue)
    yield Route(f"{HERE}/*/*", Role.VIEWER, profile)
