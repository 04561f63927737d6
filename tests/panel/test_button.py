import pytest

from concentrator.panel.button import GESTURES, Button, Gesture, gesture_of
from concentrator.panel.lights import Scheme


@pytest.mark.parametrize(
    ("held_s", "gesture"),
    [
        (0.0, Gesture.SHORT),
        (1.99, Gesture.SHORT),
        (2.0, Gesture.LINK),
        (4.99, Gesture.LINK),
        (5.0, Gesture.NOTHING),
        (9.99, Gesture.NOTHING),
        (10.0, Gesture.FACTORY),
        (59.9, Gesture.FACTORY),
        (60.0, Gesture.NOTHING),
    ],
)
def test_how_long_it_was_held_says_what_is_wanted(held_s, gesture):
    assert gesture_of(held_s) is gesture


@pytest.mark.parametrize(
    ("held_s", "gesture"),
    [
        (0.0, Gesture.NOTHING),
        (0.99, Gesture.NOTHING),
        (1.0, Gesture.LAMP_TEST),
        (9.99, Gesture.LAMP_TEST),
        (10.0, Gesture.FACTORY),
        (60.0, Gesture.NOTHING),
    ],
)
def test_on_a_cmm365_a_second_tests_the_lamps_and_ten_reset_it(clock, held_s, gesture):
    assert gesture_of(held_s, Scheme.CMM365) is gesture
    done = []
    button = Button(clock, done.append, Scheme.CMM365)
    button.press()
    clock.advance(held_s)
    assert button.promises is gesture
    button.release()
    assert done == ([gesture] if gesture is not Gesture.NOTHING else [])


@pytest.mark.parametrize("scheme", Scheme)
def test_every_scheme_has_a_meaning_from_the_first_moment_on_and_lets_a_stuck_button_be(scheme):
    since = [at for at, _ in GESTURES[scheme]]
    assert since[0] == 0.0 and since == sorted(since)
    assert gesture_of(10_000, scheme) is Gesture.NOTHING


@pytest.fixture
def done():
    return []


@pytest.fixture
def button(clock, done):
    return Button(clock, done.append)


def test_it_acts_when_it_is_let_go_and_says_before_what_that_will_do(button, clock, done):
    assert button.promises is None
    button.press()
    promised = []
    for _ in range(11):
        promised.append(button.promises)
        clock.advance(1)
    assert promised == [Gesture.SHORT] * 2 + [Gesture.LINK] * 3 + [Gesture.NOTHING] * 5 + [Gesture.FACTORY]
    assert done == []
    button.release()
    assert done == [Gesture.FACTORY]
    assert button.promises is None


def test_five_to_ten_seconds_do_nothing(button, clock, done):
    button.press()
    clock.advance(7)
    button.release()
    assert done == []


def test_a_contact_that_bounces_is_not_held_longer_nor_pressed_twice(button, clock, done):
    button.press()
    clock.advance(3)
    button.press()
    clock.advance(1)
    button.release()
    button.release()
    assert done == [Gesture.LINK]


def test_pressing_twice_adds_nothing_up(button, clock, done):
    for _ in range(2):
        button.press()
        clock.advance(1.5)
        button.release()
        clock.advance(100)
    assert done == [Gesture.SHORT, Gesture.SHORT]
