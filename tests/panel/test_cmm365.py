import pytest

from concentrator.panel.cmm365 import LIGHTS, Standing, lights
from concentrator.panel.functions import Traffic
from concentrator.panel.lights import Pattern

ONLINE = {"sessions": 1, "logged_in": 1, "online": 1}


def test_it_has_the_six_lights_of_the_manual():
    assert tuple(lights(Standing())) == LIGHTS


@pytest.mark.parametrize(
    ("standing", "power"),
    [
        (Standing(), Pattern.SLOW),
        (Standing(sessions=1), Pattern.SLOW),
        (Standing(sessions=1, logged_in=1), Pattern.STEADY),
        (Standing(sessions=2, logged_in=1), Pattern.SLOW),
        (Standing(**ONLINE), Pattern.STEADY),
        (Standing(**ONLINE, is_alarmed=True), Pattern.RED),
        (Standing(**ONLINE, has_sim=True), Pattern.STEADY),
        (Standing(**ONLINE, has_sim=False), Pattern.RED_BLINK),
        (Standing(is_alarmed=True, has_sim=False), Pattern.RED_BLINK),
    ],
)
def test_power_is_green_with_a_server_red_with_an_alarm_and_blinks_red_without_a_sim_card(standing, power):
    assert lights(standing)["power"] is power


def test_alarm_is_on_while_there_is_one():
    assert lights(Standing(is_alarmed=True))["alarm"] is Pattern.STEADY
    assert lights(Standing(**ONLINE))["alarm"] is Pattern.OFF


@pytest.mark.parametrize(
    ("traffic", "pattern"),
    [
        (Traffic.UNUSED, Pattern.OFF),
        (Traffic.BEGINNING, Pattern.OFF),
        (Traffic.FAILING, Pattern.STEADY),
        (Traffic.FLOWING, Pattern.BLINK),
    ],
)
def test_a_port_is_dark_unused_on_failing_and_blinks_while_it_talks(traffic, pattern):
    assert lights(Standing(rs485=traffic))["rs485_master"] is pattern
    assert lights(Standing(rs485=traffic))["link"] is Pattern.OFF
    assert lights(Standing(link=traffic))["link"] is pattern


@pytest.mark.parametrize(("is_asked", "pattern"), [(False, Pattern.OFF), (True, Pattern.BLINK)])
def test_the_slave_port_blinks_while_somebody_asks(is_asked, pattern):
    assert lights(Standing(is_slave_asked=is_asked))["rs485_slave"] is pattern


@pytest.mark.parametrize(
    ("sessions", "logged_in", "online", "pattern"),
    [
        (0, 0, 0, Pattern.OFF),
        (1, 0, 0, Pattern.OFF),
        (1, 1, 0, Pattern.STEADY),
        (1, 1, 1, Pattern.BLINK),
        (2, 1, 1, Pattern.OFF),
        (2, 2, 1, Pattern.STEADY),
        (2, 2, 2, Pattern.BLINK),
    ],
)
def test_gprs_says_of_several_sessions_what_holds_of_all(sessions, logged_in, online, pattern):
    assert lights(Standing(sessions=sessions, logged_in=logged_in, online=online))["gprs"] is pattern
