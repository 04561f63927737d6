import pytest

from concentrator.poll.link_news import COLLIDING, Linked, LinkNews, LinkStatus
from concentrator.poll.registrar import Outcome, Verdict

METER, OTHER = "0420020081", "0420020117"


def told(news, in_hand="", undecided=()):
    return news.told(LinkStatus("native", True, "looking"), in_hand, dict(undecided))


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome(Verdict.FAILED, "it did not take ID 3", 3), "failed"),
        (Outcome(Verdict.UNSURE, "it did not confirm ID 3", 3), "failed"),
        (Outcome(Verdict.FAILED, "it keeps ID 1", 1), "at_one"),
        (Outcome(Verdict.FULL, "there are 32"), "full"),
    ],
)
def test_what_went_wrong_with_a_meter_stands_until_the_next_is_linked(outcome, code):
    news = LinkNews()
    news.came_of(METER, outcome)
    status = told(news)
    assert (status.code, status.serial, status.unit, status.text) == (code, METER, outcome.unit, outcome.text)
    news.came_of(OTHER, Outcome(Verdict.LINKED, unit=4))
    assert (told(news).code, told(news).text) == ("", "")


def test_meters_that_answer_over_one_another_are_told_until_they_are_told_apart():
    news = LinkNews()
    news.collided()
    assert (told(news).code, told(news).text) == ("collision", COLLIDING)
    news.came_of(METER, Outcome(Verdict.LINKED, unit=2))
    assert told(news).code == ""


def test_a_meter_is_as_new_as_it_was_the_first_time():
    news = LinkNews()
    news.linked(METER, 2, False)
    news.linked(OTHER, 5, True)
    news.linked(METER, 2, True)
    assert told(news).found == (Linked(METER, 2), Linked(OTHER, 5, True))


def test_a_meter_that_turns_out_to_have_its_id_is_no_trouble_any_more():
    news = LinkNews()
    news.came_of(METER, Outcome(Verdict.UNSURE, "it did not confirm ID 3", 3))
    news.linked(METER, 3, False)
    assert (told(news).code, told(news).text) == ("", "")


def test_the_meter_in_hand_has_no_id_before_one_is_chosen():
    news = LinkNews()
    assert told(news, METER).in_hand == Linked(METER, 0)
    assert told(news, METER, {METER: 3}).in_hand == Linked(METER, 3)


def test_after_a_power_cut_it_is_told_who_has_an_id_and_whose_was_released():
    news = LinkNews()
    news.interrupted({METER: 2, OTHER: 3})
    news.linked(METER, 2, False)
    news.heard("link.failed", {"serial": OTHER, "unit": 3, "text": f"{OTHER}: it did not keep ID 3"})
    status = told(news)
    assert (status.code, status.found, status.released) == ("interrupted", (Linked(METER, 2),), (Linked(OTHER, 3),))


def test_where_nothing_was_undecided_nothing_was_interrupted():
    news = LinkNews()
    news.interrupted({})
    assert told(news).code == ""


def test_an_end_without_a_meter_and_a_step_that_broke_have_words_of_their_own():
    news = LinkNews()
    news.trouble("The line is not there.")
    assert (told(news).code, told(news).text) == ("trouble", "The line is not there.")
    news.left_alone()
    assert told(news).code == "alone"
