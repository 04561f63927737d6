"""The commands about devices and link mode, asking a box over a real control socket."""

import json

import pytest
import pytest_twisted
from twisted.internet.defer import fail, succeed
from twisted.internet.threads import deferToThread

from concentrator.actions.devices import device_actions
from concentrator.actions.linking import link_actions
from concentrator.actions.present import whole_device_json
from concentrator.actions.writing import writing_actions
from concentrator.app.cli import main
from concentrator.model.errors import Denied
from concentrator.poll.link_news import Linked, LinkStatus
from tests.support.web import FakeBox


class Devices:
    """What the box was told to do with its list of devices."""

    def __init__(self):
        self.told = []

    def add(self, uid, section):
        self.told.append(("add", uid, dict(section)))

    def change(self, uid, **keys):
        self.told.append(("change", uid, keys))

    def remove(self, uid):
        self.told.append(("remove", uid))


class Linking:
    """Link mode of the line `native`, in which one meter was linked."""

    is_on = False

    def start(self):
        self.is_on = True
        return succeed(None)

    def stop(self):
        self.is_on = False
        return succeed(None)

    def status(self):
        state = "looking" if self.is_on else "off"
        return LinkStatus("native", self.is_on, state, (Linked("0420020081", 2),), "", 600.0)


@pytest.fixture
def box():
    box = FakeBox()
    box.told, box.linking, box.written = Devices(), Linking(), []

    def show(uid):
        return whole_device_json(next(state for state in box.devices if state.uid == uid))

    def write(uid, name, value):
        box.written.append((uid, name, value))
        return fail(Denied(f"{uid}: allow_write is not set")) if uid == "workshop" else succeed(value)

    for action in (
        *device_actions(box.told, show, None),
        *link_actions(lambda line: box.linking, lambda: ["native"]),
        *writing_actions(write, lambda uid, name: succeed(230.1), lambda uid, name: {"v1": "V"}.get(name, "")),
    ):
        box.table.register(action)
    return box


@pytest_twisted.ensureDeferred
async def test_devices_are_listed_with_or_without_saying_so(run, tmp_path):
    status, out, _ = await run("devices")
    assert status == 0 and "workshop" in out
    assert (await run("devices", "list"))[1] == out
    place = ("--state-dir", str(tmp_path))
    assert (await run("devices", *place, "list", place=()))[1] == out
    assert [each["uid"] for each in json.loads((await run("devices", "list", "--json"))[1])] == ["main", "workshop"]


@pytest_twisted.ensureDeferred
async def test_a_device_is_shown_with_all_its_values(run):
    status, out, _ = await run("devices", "show", "main")
    lines = out.splitlines()
    assert status == 0
    assert lines[0] == 'main "Main": CcM4, 0420020081, 0x2C06, MB_RTU_CCM, ID 1 on native'
    assert lines[1] == "  answering, last seen 2026-11-21T09:41:05Z"
    assert lines[4].split() == ["p", "active", "power", "-1240.0", "W", "2026-11-21T09:41:05Z"]
    assert json.loads((await run("devices", "show", "main", "--json"))[1])["uid"] == "main"


@pytest_twisted.ensureDeferred
async def test_a_variable_is_read_from_the_device(run):
    assert (await run("devices", "read", "main", "v1"))[:2] == (0, "230.1 V\n")
    assert json.loads((await run("devices", "read", "main", "v1", "--json"))[1])["value"] == 230.1


@pytest.mark.parametrize(
    ("typed", "sent"), [("1", 1), ("1.5", 1.5), ("-3", -3), ("bidirectional", "bidirectional"), ("nan", "nan")]
)
@pytest_twisted.ensureDeferred
async def test_a_variable_is_written_as_a_number_where_it_is_one(box, run, typed, sent):
    status, out, _ = await run("devices", "write", "main", "direction_mode", typed)
    assert (status, out) == (0, f"{sent}\n")
    assert box.written == [("main", "direction_mode", sent)]


@pytest_twisted.ensureDeferred
async def test_what_the_box_refuses_is_its_words_and_status_1(run):
    status, out, err = await run("devices", "write", "workshop", "direction_mode", "1")
    assert (status, out) == (1, "")
    assert err == "ccmaster: This is not allowed by the configuration: workshop: allow_write is not set\n"
    status, _, err = await run("devices", "show", "mian")
    assert (status, err) == (1, "ccmaster: There is nothing of this name: device mian (did you mean main?)\n")


@pytest_twisted.ensureDeferred
async def test_a_device_is_added_changed_and_removed(box, run):
    base = ("--line", "native", "--profile", "energycm/ccm", "--address", "7")
    more = ("--alias", "Heat pump", "--allow-write", "--no-verify")
    status, out, _ = await run("devices", "add", "main", *base, *more)
    assert status == 0 and out.startswith('main "Main"')
    assert (await run("devices", "change", "main", "--alias", "", "--no-allow-write", "--secondary", "0"))[0] == 0
    assert (await run("devices", "remove", "main"))[:2] == (0, "main is no longer read; its records stay\n")
    section = {"line": "native", "profile": "energycm/ccm", "address": 7, "alias": "Heat pump", "allow_write": True}
    assert box.told.told == [
        ("add", "main", section),
        ("change", "main", {"alias": None, "secondary": None, "allow_write": False}),
        ("remove", "main"),
    ]


@pytest_twisted.ensureDeferred
async def test_an_m_bus_meter_is_added_by_its_secondary_address_as_well(box, run):
    for address in ("7", "00123456", "12345678-KAM-08-04"):
        base = ("--line", "native", "--profile", "m-bus/meter", "--address", address, "--no-verify")
        assert (await run("devices", "add", "main", *base))[0] == 0
    assert [section["address"] for _, _, section in box.told.told] == [7, "00123456", "12345678-KAM-08-04"]


@pytest_twisted.ensureDeferred
async def test_link_mode_is_started_stopped_and_looked_at(box, run):
    status, out, _ = await run("link", "start", "--line", "native")
    assert status == 0 and box.linking.is_on
    assert out.splitlines() == [
        "native: link mode is on, looking; it ends by itself in 10 min",
        "  0420020081 has ID 2",
    ]
    assert (await run("link", "status"))[1] == out
    assert (await run("link", "stop"))[1].splitlines()[0] == "native: link mode is off"
    assert not box.linking.is_on
    found = json.loads((await run("link", "status", "--json"))[1])["found"]
    assert [(each["serial"], each["unit"]) for each in found] == [("0420020081", 2)]


@pytest_twisted.ensureDeferred
async def test_link_mode_can_be_followed_until_it_is_over(box, run):
    box.linking.start = lambda: succeed(None)  # it is over at once
    status, out, _ = await run("link", "start", "--wait")
    assert status == 0
    assert out.splitlines()[1:] == [
        "  0420020081 has ID 2",
        "native: link mode is off, 1 meter linked; reading goes on",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["devices", "shwo", "main"],
        ["devices", "show"],
        ["devices", "write", "main", "p"],
        ["devices", "add", "x", "--line", "a"],
        ["devices", "add", "x", "--line", "a", "--profile", "b/c", "--address", "1", "--yes", "--no-verify"],
        ["link"],
        ["link", "begin"],
        ["link", "stop", "--wait"],
    ],
)
def test_a_wrong_command_line_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    ["link", "devices", *(f"devices {what}" for what in ("list", "show", "read", "write", "add", "change", "remove"))],
)
def test_every_command_has_help_with_examples(command, capsys):
    with pytest.raises(SystemExit) as error:
        main([*command.split(), "--help"])
    assert error.value.code == 0
    assert f"ccmaster {command.split()[0]}" in capsys.readouterr().out.partition("examples:")[2]


@pytest_twisted.ensureDeferred
async def test_names_are_completed_with_those_of_the_running_box(served, tmp_path, monkeypatch):
    file = tmp_path / "answer"
    for name, value in {
        "_ARGCOMPLETE": "1",
        "COMP_LINE": f"ccmaster devices show --state-dir {served} w",
        "COMP_POINT": str(len(f"ccmaster devices show --state-dir {served} w")),
        "COMP_TYPE": "9",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(file),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("os._exit", lambda status: (_ for _ in ()).throw(SystemExit(status)))
    with pytest.raises(SystemExit):
        await deferToThread(main, [])
    assert file.read_text().split() == ["workshop"]
