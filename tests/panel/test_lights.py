import pytest

from concentrator.panel.lights import Lights, Modem, Pattern, Situation, is_lit, lights


def flashes(pattern, seconds):
    """How often the light comes on in so many seconds, looked at every hundredth."""
    seen = [is_lit(pattern, at / 100) for at in range(seconds * 100)]
    return sum(now and not before for before, now in zip([False, *seen], seen, strict=False))


@pytest.mark.parametrize(
    ("situation", "blue"),
    [
        (Situation(), Pattern.OFF),
        (Situation(is_linking=True), Pattern.BLINK),
        (Situation(is_updating=True), Pattern.FAST),
        (Situation(is_updating=True, is_linking=True), Pattern.FAST),
    ],
)
def test_blue_is_dark_while_reading_and_blinks_while_meters_are_linked(situation, blue):
    assert lights(situation).blue is blue


@pytest.mark.parametrize(
    ("uplinks", "up", "green"),
    [
        (0, 0, Pattern.BLINK),
        (2, 0, Pattern.BLINK),
        (2, 1, Pattern.ONE),
        (2, 2, Pattern.TWO),
        (1, 1, Pattern.TWO),
    ],
)
def test_green_says_how_far_the_data_get(uplinks, up, green):
    assert lights(Situation(uplinks=uplinks, uplinks_up=up)).green is green


@pytest.mark.parametrize(
    ("modem", "yellow"),
    [
        (None, None),
        (Modem.OFF, Pattern.OFF),
        (Modem.SEARCHING, Pattern.SLOW),
        (Modem.REGISTERED, Pattern.STEADY),
        (Modem.BUSY, Pattern.FAST),
    ],
)
def test_yellow_is_the_modems_and_only_where_there_is_one(modem, yellow):
    assert lights(Situation(modem=modem)).yellow is yellow


def test_a_box_nobody_knows_anything_of_is_offline():
    assert lights(Situation()) == Lights()


@pytest.mark.parametrize(
    ("pattern", "in_six_seconds"),
    [(Pattern.OFF, 0), (Pattern.STEADY, 1), (Pattern.BLINK, 6), (Pattern.ONE, 2), (Pattern.TWO, 4), (Pattern.SLOW, 3)],
)
def test_a_pattern_flashes_as_often_as_the_manual_says(pattern, in_six_seconds):
    assert flashes(pattern, 6) == in_six_seconds


@pytest.mark.parametrize("pattern", Pattern)
def test_nothing_flashes_more_than_two_and_a_half_times_a_second(pattern):
    assert flashes(pattern, 10) <= 25
    assert pattern in (Pattern.OFF, Pattern.STEADY, Pattern.RED) or flashes(pattern, 10) >= 3
