"""The menu: the manual's tree in its order and words (CcMaster user manual, 6.2), with what was added where somebody
holding the manual would look for it. An entry is there when its page is, and when whoever looks may see it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from attrs import field, frozen

from concentrator.portal.words import Say
from concentrator.web.access import Role


@frozen
class Entry:
    """An entry: the key of its name in the table `menu` of the words, its page's path (that of its first part where it
    has none itself), its icon, the role it takes, and what is under it. The search finds it by the words `also` too."""

    name: str
    path: str = ""
    icon: str = ""
    role: Role = Role.VIEWER
    also: str = ""
    parts: Sequence[Entry] = ()


MENU = (
    Entry("info", "/info", "info", also="status"),
    Entry(
        "network",
        icon="wifi",
        role=Role.INSTALLER,
        parts=(
            Entry("access_point", "/network/access-point", role=Role.INSTALLER),
            Entry("wifi", "/network/wifi", role=Role.INSTALLER),
            Entry("ethernet", "/network/ethernet", role=Role.INSTALLER),
            Entry("modem", "/network/modem", role=Role.INSTALLER),
        ),
    ),
    Entry(
        "services",
        icon="uplink",
        role=Role.INSTALLER,
        parts=(
            Entry("mqtt", "/services/mqtt", role=Role.INSTALLER, also="broker latency latencia"),
            Entry("ftp", "/services/ftp", role=Role.INSTALLER, also="files csv"),
            Entry("mbus", "/services/mbus", role=Role.INSTALLER, also="tunnel 10001 tcp/ip serial"),
            Entry("cloud", "/services/cloud", role=Role.INSTALLER, also="smartgen genset cmm365 nube grupo"),
            Entry(
                "slave", "/services/modbus-slave", role=Role.INSTALLER, also="modbus slave scada register map esclavo"
            ),
            Entry("sms", "/services/sms", role=Role.INSTALLER, also="short messages alarms mensajes"),
            Entry("tokens", "/services/tokens", role=Role.ADMINISTRATOR, also="api rest"),
        ),
    ),
    Entry(
        "devices",
        "/devices",
        "gauge",
        parts=(
            Entry("ccm", "/devices/ccm", also="meters"),
            Entry("external", "/devices/external", also="inverters analysers"),
            Entry("add", "/devices/add", role=Role.INSTALLER, also="catalogue catalogo detect"),
            Entry(
                "link",
                "/devices/link",
                role=Role.INSTALLER,
                also="synchronisation mode dynamic assignment pair vincular",
            ),
            Entry("scan", "/devices/scan", role=Role.INSTALLER, also="search"),
            Entry("lines", "/lines", also="bus trace rs485"),
        ),
    ),
    Entry(
        "solar",
        icon="sun",
        parts=(
            Entry("add_plant", "/solar/add", role=Role.INSTALLER),
            Entry("view_plant", "/solar", also="balance"),
            Entry("outputs", "/solar/outputs", role=Role.INSTALLER, also="relay"),
        ),
    ),
    Entry("history", "/history", "chart", also="export csv json historic"),
    Entry("events", "/events", "bell", also="alarms"),
    Entry(
        "settings",
        icon="sliders",
        role=Role.INSTALLER,
        parts=(
            Entry("security", "/settings/security", role=Role.ADMINISTRATOR, also="users password https certificate"),
            Entry("timezone", "/settings/timezone", role=Role.INSTALLER, also="clock ntp"),
            Entry("historic", "/settings/historic", role=Role.INSTALLER, also="historic latency latencia storage"),
            Entry("web", "/settings/web", role=Role.ADMINISTRATOR, also="http statistics configuration authentication"),
            Entry("panel", "/panel", also="leds button relays"),
            Entry("inputs", "/settings/panel", role=Role.INSTALLER, also="outputs scheme cmm365 alarm relay delay"),
        ),
    ),
    Entry("update", "/update", "upload", role=Role.ADMINISTRATOR, also="firmware"),
    Entry("reboot", "/reboot", "power", role=Role.INSTALLER, also="restart factory defaults"),
)

BAR = frozenset({"/info", "/devices", "/devices/ccm", "/solar", "/events"})
"""The entries that a small screen has at its foot, by where they lead."""


@frozen
class Place:
    """An entry as it is drawn: its name in words, where it leads, and whether the page that is shown is it or under
    it."""

    name: str
    path: str
    icon: str
    is_here: bool
    is_open: bool
    parts: tuple[Place, ...] = field(default=())


def drawn(say: Say, role: Role | None, paths: Collection[str], here: str) -> tuple[Place, ...]:
    """The menu for somebody of a role, of the pages there are, on the page with the path `here`."""
    return tuple(_places(MENU, say, role, paths, here))


def trail(say: Say, here: str) -> tuple[str, ...]:
    """The names of the entries that lead to a page, its own last; nothing for a page that is not in the menu."""
    for entry in MENU:
        if entry.path == here:
            return (say(f"menu.{entry.name}"),)
        for part in entry.parts:
            if part.path == here:
                return say(f"menu.{entry.name}"), say(f"menu.{part.name}")
    return ()


def _places(
    entries: Sequence[Entry], say: Say, role: Role | None, paths: Collection[str], here: str
) -> Iterator[Place]:
    for entry in entries:
        if role is None or not role.covers(entry.role):
            continue
        parts = tuple(_places(entry.parts, say, role, paths, here))
        path = entry.path if entry.path in paths else next((part.path for part in parts), "")
        if path:
            is_here = here == entry.path
            is_open = is_here or any(part.is_open for part in parts) or here.startswith(f"{entry.path or path}/")
            yield Place(say(f"menu.{entry.name}"), path, entry.icon, is_here, is_open, parts)
