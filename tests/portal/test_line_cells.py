import re

import pytest

from concentrator.api import LineState
from concentrator.portal.line_cells import line_cells, line_detail_cells, percent
from concentrator.portal.words import say_in


def spaced(text):
    return re.sub("[\u00a0\u202f]", " ", text)


@pytest.mark.parametrize(
    ("line", "said", "health", "counts"),
    [
        (LineState("n", "x", True), "Open", "up", "nothing asked yet"),
        (LineState("n", "x", False), "Opening", "idle", "nothing asked yet"),
        (LineState("n", "x", False, "Gone."), "Not open", "down", "nothing asked yet"),
        (LineState("n", "x", True, suspended="linking"), "Meters are being linked", "up", "nothing asked yet"),
        (
            LineState("n", "x", True, "", {"requests": 12480, "answers": 12479, "timeouts": 1, "garbled": 0}),
            "Open",
            "up",
            "12 480 requests · 99.9 % answered · 1 timed out",
        ),
        (LineState("n", "x", True, "", {"requests": 4, "answers": 4}), "Open", "up", "4 requests · 100 % answered"),
    ],
)
def test_a_line_says_whether_it_is_open_and_how_well_it_answers(line, said, health, counts):
    found = line_cells(line, say_in("en"), "", "en")
    assert (found[":line.n"]["text"], found[":line.n"]["health"]) == (said, health)
    assert spaced(found[":line.n.counts"]["text"]) == counts


def test_a_line_in_trouble_is_drawn_as_one():
    found = line_cells(LineState("n", "x", True), say_in("es"), "nadie responde", "es")
    assert (found[":line.n"]["health"], found[":line.n.trouble"]["text"]) == ("down", "nadie responde")
    assert found[":line.n.counts"]["text"] == "nada preguntado todavía"


def test_its_own_page_has_how_busy_it_is_and_how_fast_it_answers():
    counters = {"requests": 8, "answers": 7, "turnaround_mean_s": 0.0124}
    line = LineState("n", "x", True, "", counters, stations={"1": counters, "2": {}}, utilisation=0.634, round_s=2.94)
    found = {name: spaced(cell["text"]) for name, cell in line_detail_cells(line, "es").items()}
    assert (found[":line.n.used"], found[":line.n.round"]) == ("63 %", "2,9 s")
    assert (found[":line.n.mean"], found[":line.n.rate"]) == ("12 ms", "87,5 %")
    assert (found[":line.n.at.1.answers"], found[":line.n.at.1.mean"], found[":line.n.at.2.mean"]) == (
        "7",
        "12 ms",
        "—",
    )


def test_a_line_that_was_never_asked_has_no_figures():
    found = line_detail_cells(LineState("n", "x", True), "en")
    assert [found[f":line.n.{each}"]["text"] for each in ("round", "mean", "rate")] == ["—", "—", "—"]


@pytest.mark.parametrize(("part", "whole", "text"), [(1, 1, "100"), (9999, 10000, "99.9"), (0, 3, "0"), (2, 3, "66.6")])
def test_a_hundred_percent_means_every_single_one(part, whole, text):
    assert percent(part, whole, "en") == text
