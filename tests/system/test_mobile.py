"""concentrator.system.mobile: a modem's data connection, over programs that say what nmcli and mmcli say."""

from itertools import pairwise

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed

from concentrator.model.errors import TryLater
from concentrator.system import nmcli
from concentrator.system.mobile import ASKS_FOR_PIN, LOOK_S, PAUSE_MOST_S, MobileConnection, forget
from concentrator.system.nmcli import MobileTerms

TERMS = MobileTerms("wan", apn="internet")
NAME = "ccmaster-wan"


class Nmcli:
    """NetworkManager: its connections by name, each with its properties and state; `calls` is what it was told to do,
    `secrets` what the file held when it was told to connect."""

    def __init__(self):
        self.connections, self.states, self.calls, self.secrets = {}, {}, [], []
        self.refuses, self.is_there, self.hangs = "", True, False
        self.under_way = None

    def say(self, *arguments, timeout_s=0.0):
        if not self.is_there:
            return fail(TryLater("Error: NetworkManager is not running."))
        words = arguments[arguments.index("con") :]
        if words[1] == "show":
            return succeed(self._shown(arguments, words))
        self.calls.append(arguments)
        return self._done(words)

    def _shown(self, arguments, words):
        if len(words) == 2:
            return "".join(f"{name}:gsm:{self.states.get(name, '')}\n" for name in self.connections)
        wanted = arguments[arguments.index("-f") + 1].split(",")
        return "".join(f"{each}:{self.connections[words[3]].get(each, '')}\n" for each in wanted)

    def _done(self, words):
        name = words[words.index("con-name" if words[1] == "add" else "id") + 1]
        rest = words[words.index(name) + 1 :]
        if words[1] in ("add", "modify"):
            self.connections.setdefault(name, {}).update(zip(rest[::2], rest[1::2], strict=True))
        elif words[1] == "delete":
            del self.connections[name]
        elif words[1] == "down":
            self.states[name] = ""
        else:
            if "passwd-file" in words:
                with open(words[-1]) as file:
                    self.secrets.append(file.read())
            if self.hangs:
                self.under_way = Deferred()
                return self.under_way
            if self.refuses:
                return fail(TryLater(self.refuses))
            self.states[name] = "activated"
        return succeed("")

    def stop(self):
        if self.under_way is not None:
            under_way, self.under_way = self.under_way, None
            under_way.errback(TryLater("killed"))

    def verbs(self):
        return [words[words.index("con") + 1] for words in self.calls]


class Mmcli:
    """ModemManager with a modem, or None where it has none."""

    def __init__(self):
        self.modem = {}
        self.see("registered")

    def see(self, state, lock="--", retries=("sim-pin (3)",)):
        generic = {"state": state, "unlock-required": lock, "unlock-retries": list(retries), "primary-port": "cdc-wdm0"}
        self.modem = {"modem": {"generic": generic | {"ports": ["wwan0 (net)"]}, "3gpp": {"operator-name": "Some Net"}}}

    async def ask(self, *arguments):
        self.asked = arguments
        if self.modem is None:
            raise TryLater("couldn't find modem")
        return self.modem

    def stop(self):
        pass


class World:
    def __init__(self, clock, folder):
        self.clock, self.folder = clock, folder
        self.nmcli, self.mmcli = Nmcli(), Mmcli()

    def begin(self, terms=TERMS, **more):
        self.life = MobileConnection(terms, self.nmcli, self.mmcli, self.clock, self.folder, **more)
        self.life.start()
        return self.life

    def look(self, times=1):
        self.clock.pump([LOOK_S] * times)
        return self.life.state()


@pytest.fixture
def world(clock, tmp_path):
    world = World(clock, tmp_path)
    yield world
    world.life.stop()


def test_a_connection_that_is_not_there_is_made_and_comes_up(world):
    state = world.begin().state()
    assert world.nmcli.verbs() == ["add", "up"]
    assert (state.standing, state.is_connected, state.operator, state.radio) == (
        *("Connected", True, "Some Net", "registered"),
    )
    assert world.life.card == "wwan0"
    assert world.look(3).standing == "Connected" and world.nmcli.verbs() == ["add", "up"]


def test_one_that_is_there_and_up_as_it_should_be_is_left_alone(world):
    world.nmcli.connections[NAME] = nmcli.wanted(TERMS, "")
    world.nmcli.states[NAME] = "activated"
    assert world.begin().state().is_connected and world.nmcli.calls == []


def test_only_what_differs_is_changed_and_then_it_comes_up_anew(world):
    world.nmcli.connections[NAME] = {**nmcli.wanted(TERMS, ""), "gsm.apn": "old"}
    world.nmcli.states[NAME] = "activated"
    world.begin()
    assert world.nmcli.calls[0] == ("con", "modify", "id", NAME, "gsm.apn", "internet")
    assert world.nmcli.verbs() == ["modify", "up"]
    world.look()
    assert world.nmcli.verbs() == ["modify", "up"]


def test_other_secrets_have_it_come_up_anew(world):
    terms = evolve(TERMS, user="me", password="new")
    world.nmcli.connections[NAME] = nmcli.wanted(terms, "")
    world.nmcli.states[NAME] = "activated"
    world.begin(terms, must_renew=True)
    assert world.nmcli.secrets == ["gsm.password:new\n"] and world.nmcli.verbs() == ["up"]


def test_one_that_fell_comes_up_again(world):
    world.begin()
    world.nmcli.states[NAME] = ""
    assert world.look().is_connected and world.nmcli.verbs() == ["add", "up", "up"]


def test_what_cannot_connect_is_tried_again_after_longer_and_longer_pauses(world):
    world.nmcli.refuses = "Error: Connection activation failed: no carrier"
    state = world.begin().state()
    assert (state.standing, state.trouble) == ("Not connected", "Connection activation failed: no carrier")
    tries, last = [0.0], 1
    while len(tries) < 9:
        world.look()
        ups = world.nmcli.verbs().count("up")
        tries += [world.clock.seconds()] * (ups - last)
        last = ups
    assert [after - before for before, after in pairwise(tries)] == [
        *(30.0, 60.0, 120.0, 240.0, 480.0),
        *[PAUSE_MOST_S] * 3,
    ]
    assert world.look().trouble == "Connection activation failed: no carrier"
    world.nmcli.refuses = ""
    assert world.look(31).is_connected


def test_where_there_is_no_networkmanager_that_is_told_and_nothing_is_changed(world):
    world.nmcli.is_there = False
    state = world.begin().state()
    assert (state.standing, state.trouble) == (
        "No NetworkManager",
        "nothing is changed: NetworkManager is not running.",
    )
    assert world.nmcli.calls == []
    world.nmcli.is_there = True
    assert world.look().is_connected


def test_a_sim_that_asks_for_its_pin_is_told(world):
    world.mmcli.see("locked", "sim-pin")
    state = world.begin().state()
    assert (state.standing, state.trouble) == ("Locked", ASKS_FOR_PIN)
    assert "up" not in world.nmcli.verbs()


def test_a_pin_is_given_to_a_sim_that_asks_by_a_file_that_goes_again(world):
    world.mmcli.see("locked", "sim-pin")
    state = world.begin(evolve(TERMS, pin="1234")).state()
    assert (state.is_connected, state.radio) == (True, "registered")
    assert world.nmcli.secrets == ["gsm.pin:1234\n"]
    assert not any("1234" in word for call in world.nmcli.calls for word in call)
    assert list(world.folder.iterdir()) == []


def test_a_pin_that_the_sim_does_not_take_is_not_given_again(world):
    world.mmcli.see("locked", "sim-pin")
    world.nmcli.refuses = "Error: no secrets"
    world.begin(evolve(TERMS, pin="1234"))
    assert "not tried again" in world.look(100).trouble
    assert len(world.nmcli.secrets) == 1 and list(world.folder.iterdir()) == []


def test_a_sim_that_was_unlocked_and_asks_again_is_given_its_pin_again(world):
    world.mmcli.see("locked", "sim-pin")
    world.begin(evolve(TERMS, pin="1234"))
    world.mmcli.see("connected")
    world.look()
    world.mmcli.see("locked", "sim-pin")
    world.nmcli.states[NAME] = ""
    assert world.look().is_connected and len(world.nmcli.secrets) == 2


def test_the_last_try_of_a_pin_is_left_to_people(world):
    world.mmcli.see("locked", "sim-pin", ["sim-pin (1)"])
    assert "only once more" in world.begin(evolve(TERMS, pin="1234")).state().trouble
    assert world.nmcli.secrets == []


def test_a_sim_that_asks_for_something_else_is_told(world):
    world.mmcli.see("locked", "sim-puk")
    assert "The SIM asks for sim-puk" in world.begin(evolve(TERMS, pin="1234")).state().trouble
    assert world.nmcli.secrets == []


def test_a_pin_is_not_tried_blindly(world):
    world.mmcli.modem = None
    state = world.begin(evolve(TERMS, pin="1234")).state()
    assert state.trouble == "nobody can say whether the SIM asks for its PIN: couldn't find modem"
    assert "up" not in world.nmcli.verbs()


def test_a_modem_by_its_number_is_told_by_its_port(world):
    world.begin(evolve(TERMS, modem="2"))
    assert world.mmcli.asked == ("-m", "2")
    assert world.nmcli.calls[0][4:6] == ("ifname", "cdc-wdm0")


def test_a_modem_by_its_number_that_is_not_there_is_waited_for(world):
    world.mmcli.modem = None
    state = world.begin(evolve(TERMS, modem="2")).state()
    assert (state.standing, state.trouble, world.nmcli.calls) == ("No modem", "couldn't find modem", [])


def test_one_that_is_switched_off_goes_down_and_stays_there(world):
    world.nmcli.connections[NAME] = nmcli.wanted(TERMS, "")
    world.nmcli.states[NAME] = "activated"
    state = world.begin(evolve(TERMS, is_enabled=False)).state()
    assert (state.standing, state.radio) == ("Switched off", "off")
    world.look(3)
    assert world.nmcli.verbs() == ["down"]


def test_stop_ends_what_is_under_way_and_looks_no_more(world):
    world.nmcli.hangs = True
    ended = []
    world.begin(evolve(TERMS, user="me", password="hidden")).stop().addCallback(ended.append)
    assert ended == [None] and list(world.folder.iterdir()) == []
    assert world.clock.getDelayedCalls() == []


def test_stop_leaves_a_connection_up(world):
    ended = []
    world.begin().stop().addCallback(ended.append)
    assert ended == [None] and world.nmcli.states[NAME] == "activated"
    assert world.clock.getDelayedCalls() == []


def test_a_folder_that_takes_no_secrets_is_told(world):
    world.folder = world.folder / "not there"
    state = world.begin(evolve(TERMS, user="me", password="hidden")).state()
    assert "No such file" in state.trouble and world.nmcli.verbs() == ["add"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_connection_of_ours_is_taken_out(world, is_there):
    world.begin()
    world.nmcli.connections.clear()
    world.nmcli.connections |= {"home": {}} | ({NAME: {}} if is_there else {})
    Deferred.fromCoroutine(forget(TERMS, world.nmcli))
    assert list(world.nmcli.connections) == ["home"]
