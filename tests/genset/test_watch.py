"""What happens to gensets is told once, when it happens, and nothing that is only not known."""

from attrs import define, field

from concentrator.genset.watch import GensetWatch, Watched
from concentrator.model.genset import Alarm, Mode
from concentrator.model.genset_rules import AlarmWord, GensetRules, Sign
from concentrator.model.reading import Quality, Reading


def sign(variable, first, last=None):
    return Sign(variable, ((first, first if last is None else last),))


RULES = GensetRules(
    mode=((Mode.AUTO, (sign("mode", 1),)), (Mode.MANUAL, (sign("mode", 2),))),
    running=((sign("state", 5, 11),),),
    alarm=((Alarm.WARNING, (sign("common_warning", 1),)), (Alarm.SHUTDOWN, (sign("common_shutdown", 1),))),
    words=(
        AlarmWord("overspeed", ("overspeed shutdown",), Alarm.SHUTDOWN),
        AlarmWord("fuel", ("low fuel warning",), Alarm.WARNING),
        AlarmWord("lamp", ("lamp on",), Alarm.NONE),
    ),
)
QUIET = {"mode": 1, "state": 0, "common_warning": 0, "common_shutdown": 0, "overspeed": 0, "fuel": 0, "lamp": 0}


@define
class Site:
    """A genset g1 and a meter m1, and what was told of them."""

    told: list = field(factory=list)
    values: dict = field(factory=dict)
    watch: GensetWatch = field(init=False)

    def __attrs_post_init__(self):
        watched = Watched(RULES)
        self.watch = GensetWatch(
            lambda name, facts: self.told.append((name, facts)),
            lambda uid: watched if uid == "g1" else None,
            lambda uid: self.values,
        )

    def reads(self, uid="g1", quality=Quality.GOOD, **values):
        """What is told after a reading."""
        self.told.clear()
        self.values.update(values)
        self.watch.reading_received(Reading(uid, 0.0, values, quality))
        return list(self.told)


def alarm(level, names, text, active=True):
    facts = {"device": "g1", "level": level, "active": active, "alarms": names, "text": text}
    return "genset.alarm", facts


def quiet():
    site = Site()
    assert site.reads(**QUIET) == []
    return site


def test_an_alarm_is_told_when_it_begins_and_when_it_is_over_and_once():
    site = quiet()
    assert site.reads(overspeed=1) == [alarm("shutdown", ["overspeed shutdown"], "overspeed shutdown")]
    assert site.reads(overspeed=1) == []
    over = alarm("shutdown", ["overspeed shutdown"], "over: overspeed shutdown", False)
    assert site.reads(overspeed=0) == [over]


def test_what_is_wrong_at_first_is_told():
    assert Site().reads(**{**QUIET, "fuel": 1}) == [alarm("warning", ["low fuel warning"], "low fuel warning")]


def test_a_level_without_a_name_is_told_too():
    site = quiet()
    assert site.reads(common_shutdown=1) == [alarm("shutdown", [], "shutdown alarm")]
    assert site.reads(overspeed=1) == [alarm("shutdown", ["overspeed shutdown"], "overspeed shutdown")]
    assert site.reads(overspeed=0)[0][1]["active"] is False
    assert site.reads(common_shutdown=0) == [alarm("shutdown", [], "over: shutdown alarm", False)]


def test_several_at_once_are_one_event_of_the_worst_level():
    names = ["overspeed shutdown", "low fuel warning"]
    assert quiet().reads(overspeed=1, fuel=1) == [alarm("shutdown", names, "overspeed shutdown, low fuel warning")]


def test_one_that_begins_while_another_ends_makes_two_events():
    site = quiet()
    site.reads(fuel=1)
    begun, over = site.reads(fuel=0, overspeed=1)
    assert (begun[1]["active"], begun[1]["alarms"]) == (True, ["overspeed shutdown"])
    assert (over[1]["active"], over[1]["alarms"], over[1]["level"]) == (False, ["low fuel warning"], "warning")


def test_what_only_indicates_is_no_event():
    assert quiet().reads(lamp=1) == []


def test_a_controller_that_is_silent_has_not_lost_its_alarms():
    site = quiet()
    site.reads(overspeed=1)
    assert site.reads(quality=Quality.SILENT) == []
    assert site.reads(overspeed=1) == []


def test_a_shutdown_is_over_where_nothing_else_is_told_too():
    rules = GensetRules(alarm=((Alarm.SHUTDOWN, (sign("state", 12),)),))
    site = Site()
    watched = Watched(rules)
    site.watch.watched = lambda uid: watched
    assert site.reads(state=12) == [alarm("shutdown", [], "shutdown alarm")]
    assert site.reads(state=1) == [alarm("shutdown", [], "over: shutdown alarm", False)]


def test_modes_and_engines_are_told_when_they_change():
    site = quiet()
    facts = {"device": "g1", "mode": "auto", "running": True, "text": "auto mode, it runs"}
    assert site.reads(state=9) == [("genset.state", facts)]
    facts = {"device": "g1", "mode": "manual", "running": True, "text": "manual mode, it runs"}
    assert site.reads(mode=2) == [("genset.state", facts)]
    assert site.reads(mode=2, state=9) == []


def test_a_mode_nobody_knows_for_a_moment_is_no_change():
    site = quiet()
    assert site.reads(mode=0) == []
    assert site.reads(mode=1) == []
    assert site.reads(mode=0) == []
    assert site.reads(mode=2)[0][1]["mode"] == "manual"


def test_other_devices_and_other_values_are_not_looked_at():
    site = quiet()
    site.values["overspeed"] = 1
    assert site.reads("m1", overspeed=1) == []
    assert site.reads(gen_v1=230) == []


def test_values_of_another_device_at_its_address_are_not_looked_at():
    site = quiet()
    site.values["overspeed"] = 1
    assert site.reads(quality=Quality.CONFLICT, overspeed=1) == []


def test_a_device_that_was_forgotten_begins_anew():
    site = quiet()
    site.reads(overspeed=1)
    site.watch.forget("g1")
    assert site.reads(overspeed=1) == [alarm("shutdown", ["overspeed shutdown"], "overspeed shutdown")]
