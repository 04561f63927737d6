"""concentrator.app.live: who delivers stops first, then what is kept becomes another, then delivering goes on."""

from attrs import evolve
from twisted.internet.defer import Deferred, succeed

from concentrator.app.config_sections import BoxSection, Config, HistorySection, WebSection
from concentrator.app.config_uplinks import MqttSection
from concentrator.app.live import PAUSE_S, LiveChange

BEFORE = Config(None, mqtt={"mqtt": MqttSection(host="mqtt://a"), "mqtt.b": MqttSection(host="mqtt://b")})


def with_mqtt(**keys):
    return evolve(BEFORE, mqtt=BEFORE.mqtt | {"mqtt": evolve(BEFORE.mqtt["mqtt"], **keys)})


class House:
    """The neighbours, who write down what they are told."""

    def __init__(self, clock):
        self.told, self.leaving, self.fails = [], None, False
        self.live = LiveChange(BEFORE, self, self, clock, self.report)

    def leave(self, config):
        self.told.append("leave")
        return self.leaving or succeed(None)

    async def reconfigure(self, config):
        self.told.append(("keep", config.base_interval_s))
        if self.fails:
            raise ZeroDivisionError

    def start(self, config):
        self.told.append("start")

    def report(self, name, facts):
        self.told.append((name, facts.get("sections")))


def test_the_order_leaves_no_gap_between_those_who_write_and_those_who_deliver(clock):
    house = House(clock)
    house.live.begin(with_mqtt(latency_s=60))
    assert house.told == [], "whoever ordered it gets his answer first"
    clock.advance(PAUSE_S)
    assert house.told == ["leave", ("keep", 10), "start", ("config.changed", ["mqtt"])]
    assert house.live.config.mqtt["mqtt"].latency_s == 60


def test_what_does_not_touch_the_past_leaves_it_alone(clock):
    house = House(clock)
    house.live.begin(with_mqtt(allow=("read", "write")))
    clock.advance(PAUSE_S)
    assert house.told == ["leave", "start", ("config.changed", ["mqtt"])]


def test_only_what_can_change_while_it_runs_is_taken_over(clock):
    house = House(clock)
    box, web = BoxSection(model="Lite"), WebSection(redirect=True)
    house.live.begin(evolve(with_mqtt(qos=2), history=HistorySection(latency_s=900), box=box, web=web))
    clock.advance(PAUSE_S)
    assert house.live.config.box == BoxSection()
    assert (house.live.config.history.latency_s, house.live.config.web) == (900, web)
    assert house.told[-1] == ("config.changed", ["history", "web", "mqtt"])


def test_of_several_orders_at_a_time_the_last_holds(clock):
    house = House(clock)
    house.live.begin(with_mqtt(qos=2))
    house.live.begin(with_mqtt(qos=0))
    clock.advance(PAUSE_S)
    assert house.told.count("start") == 1
    assert house.live.config.mqtt["mqtt"].qos == 0


def test_a_change_waits_for_the_one_before(clock):
    house = House(clock)
    house.leaving = Deferred()
    house.live.begin(with_mqtt(qos=2))
    clock.advance(PAUSE_S)
    house.live.begin(with_mqtt(qos=0))
    clock.advance(PAUSE_S)
    assert house.told == ["leave"]
    leaving, house.leaving = house.leaving, None
    leaving.callback(None)
    assert house.told.count("start") == 2
    assert house.live.config.mqtt["mqtt"].qos == 0


def test_at_the_end_a_change_under_way_is_waited_for_and_starts_nobody(clock):
    house = House(clock)
    house.leaving = Deferred()
    house.live.begin(with_mqtt(qos=2))
    clock.advance(PAUSE_S)
    over = house.live.stop()
    assert not over.called
    house.leaving.callback(None)
    assert over.called and "start" not in house.told
    house.live.begin(with_mqtt(qos=0))


def test_one_that_has_not_begun_at_the_end_does_not(clock):
    house = House(clock)
    house.live.begin(with_mqtt(qos=2))
    assert house.live.stop().called
    assert house.told == []


def test_a_fault_is_told_and_the_next_change_can_come(clock):
    house = House(clock)
    house.fails = True
    house.live.begin(with_mqtt(latency_s=60))
    clock.advance(PAUSE_S)
    assert house.told == ["leave", ("keep", 10), "start", ("config.failed", None)]
    assert house.live.config == BEFORE
    house.fails = False
    house.live.begin(with_mqtt(latency_s=300))
    clock.advance(PAUSE_S)
    assert house.told[-1] == ("config.changed", ["mqtt"])
