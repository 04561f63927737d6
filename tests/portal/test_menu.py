from concentrator.portal.menu import MENU, drawn, trail
from concentrator.portal.words import say_in
from concentrator.web.access import Role

ALL = frozenset(each.path for entry in MENU for each in (entry, *entry.parts) if each.path)
SAY = say_in("en")


def names(places):
    return [place.name for place in places]


def test_the_menu_has_the_manuals_words_in_its_order():
    shown = names(drawn(SAY, Role.ADMINISTRATOR, ALL, "/info"))
    manuals = ["Info", "Network", "Services", "Devices", "Solar", "Settings", "Update", "Reboot"]
    assert [name for name in shown if name in manuals] == manuals


def test_a_page_that_is_not_there_is_not_in_the_menu_nor_is_an_entry_with_nothing_under_it():
    places = drawn(SAY, Role.ADMINISTRATOR, {"/info", "/services/ftp"}, "/info")
    assert [(place.name, place.path, names(place.parts)) for place in places] == [
        ("Info", "/info", []),
        ("Services", "/services/ftp", ["FTP"]),
    ]


def test_nobody_is_shown_what_he_may_not_see():
    assert names(drawn(SAY, Role.VIEWER, ALL, "/info")) == ["Info", "Devices", "Solar", "History", "Events"]
    (devices,) = (place for place in drawn(SAY, Role.VIEWER, ALL, "/info") if place.name == "Devices")
    assert names(devices.parts) == ["View CcM", "View External", "Lines"]
    assert drawn(SAY, None, ALL, "/login") == ()
    installers = drawn(SAY, Role.INSTALLER, ALL, "/info")
    assert "Update" not in names(installers)
    (settings,) = (place for place in installers if place.name == "Settings")
    assert names(settings.parts) == ["Timezone", "Historic", "Panel", "Panel and inputs"]


def test_the_entry_of_the_page_and_the_one_it_is_under_are_marked():
    places = drawn(SAY, Role.ADMINISTRATOR, ALL, "/services/ftp")
    (services,) = (place for place in places if place.is_open)
    assert (services.name, services.is_here) == ("Services", False)
    assert [place.name for place in services.parts if place.is_here] == ["FTP"]
    assert [place.name for place in drawn(SAY, Role.VIEWER, ALL, "/lines/native") if place.is_open] == ["Devices"]


def test_the_trail_leads_to_a_page_by_the_manuals_words():
    assert trail(SAY, "/services/mqtt") == ("Services", "MQTT")
    assert trail(SAY, "/info") == ("Info",)
    assert trail(say_in("es"), "/services/mqtt") == ("Servicios", "MQTT")
    assert trail(SAY, "/nothing") == ()
