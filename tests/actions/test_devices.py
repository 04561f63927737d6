"""concentrator.actions.devices: the list of devices, as callers ask for changes of it."""

import pytest
from twisted.internet.defer import Deferred, fail

from concentrator.actions.devices import device_actions
from concentrator.actions.table import ActionTable, Caller, Permission, error_json
from concentrator.model.errors import ConfigError, Fault, NoReply, WrongArguments

OWNER = Caller("test", frozenset(Permission))
FILE = "/etc/ccmaster/ccmaster.toml"
SETTINGS = {"settings": "9600 8N1", "line_settings": "9600 8N1"}
GIVEN = {"line": "native", "profile": "energycm/ccm", "address": 2}


class Listed:
    """A list that takes everything, unless it has faults."""

    def __init__(self):
        self.asked, self.faults = [], []
        self.probed, self.misfits = [], []
        self.probing = Deferred()
        self.is_taken = False

    async def probe(self, line, profile, address, secondary):
        self.probed.append((line, profile, address, secondary))
        await self.probing
        return {"profile": profile, "misfits": self.misfits, "values": [{"name": "v1"}], **SETTINGS}

    def taken(self, line, address, secondary, besides=""):
        return f"ID Modbus: {address} is taken on {line} by another than {besides}." if self.is_taken else ""

    def add(self, uid, section):
        self._ask("add", uid, dict(section))

    def change(self, uid, **keys):
        self._ask("change", uid, keys)

    def remove(self, uid):
        self._ask("remove", uid, {})

    def _ask(self, *what):
        if self.faults:
            raise ConfigError(self.faults)
        self.asked.append(what)


@pytest.fixture
def listed():
    return Listed()


def call(listed, name, caller=OWNER, **arguments):
    table, found = ActionTable(lambda entry: None), []
    for action in device_actions(listed, lambda uid: {"uid": uid, "shown": True}, listed.probe):
        table.register(action)
    table.call(name, arguments, caller).addBoth(found.append)
    return getattr(found[0], "value", found[0]) if found else None


def test_a_new_device_is_made_of_the_keys_that_are_given(listed):
    assert call(listed, "device.add", uid="new", **GIVEN, alias="", allow_write=True) == {"uid": "new", "shown": True}
    assert listed.asked == [("add", "new", {**GIVEN, "allow_write": True})]


def test_a_change_takes_out_what_is_given_empty(listed):
    call(listed, "device.change", uid="new", alias="", secondary=0, address=5, allow_write=False)
    assert listed.asked == [("change", "new", {"alias": None, "secondary": None, "address": 5, "allow_write": False})]
    assert "nothing to change" in str(call(listed, "device.change", uid="new"))


def test_a_device_is_removed_by_its_short_id(listed):
    assert call(listed, "device.remove", uid="new") == {"uid": "new"}
    assert listed.asked == [("remove", "new", {})]


@pytest.mark.parametrize("name", ["device.add", "device.change", "device.remove"])
def test_only_who_may_configure_may_do_it(listed, name):
    reader = Caller("page", frozenset(Permission) - {Permission.CONFIG})
    assert error_json(call(listed, name, reader, uid="new", **GIVEN))["code"] == "denied"
    assert listed.asked == []


def test_a_fault_of_the_device_is_a_fault_of_the_arguments(listed):
    listed.faults = [
        Fault(FILE, "device.new", "address", "300", "a whole number 1 … 247"),
        Fault(FILE, "device.new", "line", '"nativ"', "one of native", "native"),
    ]
    error = call(listed, "device.add", uid="new", **GIVEN)
    assert isinstance(error, WrongArguments)
    assert error.detail == (
        'address: found 300, expected a whole number 1 … 247; line: found "nativ", expected one of native '
        "(did you mean native?)"
    )


def test_a_fault_elsewhere_in_the_file_is_said_to_be_there(listed):
    listed.faults = [Fault(FILE, "mqtt", "port", '"no"', "a whole number")]
    error = call(listed, "device.add", uid="new", **GIVEN)
    assert error_json(error) == {
        "code": "config",
        "message": f'The configuration file is wrong: {FILE}: [mqtt] port: found "no", expected a whole number',
    }


def test_an_address_that_another_has_is_said_in_the_words_beside_its_field(listed):
    listed.is_taken = True
    listed.faults = [
        Fault(FILE, "device.new", "address", "2, which [device.main] has on line native", "an address of its own"),
        Fault(FILE, "device.new", "interval", '"soon"', "a duration"),
    ]
    error = call(listed, "device.add", uid="new", **GIVEN)
    assert error.detail == (
        'ID Modbus: 2 is taken on native by another than new.; interval: found "soon", expected a duration'
    )


def test_a_device_that_is_to_be_verified_is_kept_only_once_it_has_answered(listed):
    assert call(listed, "device.add", uid="new", **GIVEN, secondary=3, verify=True) is None
    assert (listed.probed, listed.asked) == ([("native", "energycm/ccm", 2, 3)], [])
    listed.probing.callback(None)
    assert listed.asked == [("add", "new", {**GIVEN, "secondary": 3})]


def test_nothing_is_kept_of_a_device_that_does_not_answer_or_is_another(listed):
    listed.probing = fail(NoReply("ID 2"))
    assert error_json(call(listed, "device.add", uid="new", **GIVEN, verify=True))["code"] == "no_reply"
    listed.probing, listed.misfits = Deferred(), ["map magic: found 7, expected 0x434D"]
    listed.probing.callback(None)
    error = error_json(call(listed, "device.add", uid="new", **GIVEN, verify=True))
    assert (error["code"], "it is no energycm/ccm: map magic: found 7" in error["message"]) == ("not_confirmed", True)
    assert listed.asked == []


def test_an_empty_text_is_for_the_probe_to_refuse(listed):
    listed.probing.callback(None)
    call(listed, "device.add", uid="new", **(GIVEN | {"line": "", "profile": "", "address": ""}), verify=True)
    assert listed.probed == [("", "", "", None)]


def test_who_does_not_ask_for_it_adds_without_a_question(listed):
    call(listed, "device.add", uid="new", **GIVEN)
    assert listed.probed == [] and len(listed.asked) == 1
