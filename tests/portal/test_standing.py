import re

import pytest

from concentrator.api import LineState
from concentrator.model.trouble import Trouble
from concentrator.portal.standing import Bus, Teller
from concentrator.portal.words import say_in
from tests.support.web import MADRID, NOW, device

THREE = ("no_reply",) * 3
OPEN = LineState("native", "serial:/dev/x", True)
GONE = LineState("native", "serial:/dev/x", False, Trouble("/dev/x: the port is not there", "unplugged", port="/dev/x"))
FOREIGN = Trouble("…", "foreign", found="0220060112", expected="0220060041")


def spaced(text):
    return re.sub("[\u00a0\u202f]", " ", text)


def told(state, *others, line=OPEN, language="en"):
    standing = Teller(say_in(language), language, NOW, MADRID).device(state, Bus([line], [state, *others]))
    return standing.health, spaced(standing.words), spaced(standing.trouble)


def of_line(line, *devices, language="en"):
    teller, bus = Teller(say_in(language), language, NOW, MADRID), Bus([line], devices)
    return spaced(teller.line(line, bus)), spaced(teller.verdict(line, bus))


def silent(uid="main", **fields):
    return device(uid, **({"health": "silent", "at": NOW - 400, "tries": THREE} | fields))


@pytest.mark.parametrize(
    ("state", "health", "words"),
    [
        (device(), "answering", "{ago}"),
        (device(health="new", at=None, values={}), "new", "Not read yet"),
        (device(health="doubtful", tries=THREE), "doubtful", "Stale {span}"),
        (silent(), "silent", "No answer since 10:34"),
        (silent(at=None), "silent", "No answer yet"),
        (device(trouble=Trouble("…", "twice")), "clash", "ID 1 twice"),
        (device(trouble=FOREIGN), "clash", "Other meter at ID 1"),
        (device(quality="partial"), "partial", "Partial, {ago}"),
    ],
)
def test_every_state_of_freshness_has_its_badge(state, health, words):
    assert told(state)[:2] == (health, words)


@pytest.mark.parametrize(("state", "words"), [(device(), "Paused since 10:41"), (device(at=None), "Paused")])
def test_a_device_on_a_line_that_is_not_read_now_is_paused(state, words):
    linking = LineState("native", "x", True, suspended="devices are being linked")
    assert told(state, line=linking)[:2] == ("paused", words)
    assert told(device(quality="suspended"))[0] == "answering", "it is read again, only not yet"


def test_a_device_that_answers_late_is_explained_by_how_many_tries_failed():
    state = device(health="doubtful", tries=("no_reply", "", "no_reply"))
    assert told(state)[2] == "Answers are late: 2 of the last 3 tries timed out. Check A/B wires and termination."
    assert told(state, language="es")[2] == (
        "Respuestas tardías: 2 de los últimos 3 intentos sin respuesta. Revise los hilos A/B y la terminación."
    )


def test_damaged_answers_are_not_called_time_outs():
    state = device(health="doubtful", tries=("garbled", "", "unexpected"))
    assert told(state)[2].startswith("2 of the last 3 answers arrived damaged.")
    assert told(silent(tries=("garbled",) * 3))[2].startswith("3 of the last 3 answers arrived damaged.")


def test_a_silent_device_among_others_that_answer_is_itself_to_be_looked_at():
    assert told(silent(), device("other"))[2] == (
        "No answer since 10:34: 3 of 3 tries timed out. Others on this line answer, so check this device's power, "
        "wires and Modbus ID 1."
    )
    assert told(silent(), device("other"), language="es")[2] == (
        "Sin respuesta desde las 10:34: 3 de 3 intentos fallidos. Los demás de la línea responden: revise "
        "alimentación, cableado y Modbus ID 1 de este equipo."
    )


def test_a_silent_device_without_others_may_be_the_lines_fault():
    assert told(silent())[2].startswith("No answer since 10:34: 3 of 3 tries timed out. Check power, the A/B wires")
    assert told(silent(at=None))[2].startswith("No answer yet: 3 of 3 tries timed out.")


def test_one_cause_is_told_once_and_the_devices_point_to_it():
    two = [silent("a"), silent("b", address=2, at=NOW - 300)]
    assert told(*two)[2] == "Nothing on its line, native, answers: see the line."
    assert of_line(OPEN, *two)[0] == (
        "Nothing on native answers since 10:36. Check the cable at the box, A/B order and power."
    )
    assert of_line(OPEN, *[silent(each.uid, at=None) for each in two])[0].startswith(
        "Nothing on native has answered yet."
    )
    assert told(device(), line=GONE) == (
        "silent",
        "No answer since 10:41",
        "Its line, native, is not there: see the line.",
    )


@pytest.mark.parametrize(
    ("kind", "english", "spanish"),
    [
        (
            "unplugged",
            "The adapter of native is unplugged. Plug it in; reading starts by itself.",
            "El adaptador de native está desconectado. Conéctelo; la lectura empieza sola.",
        ),
        (
            "held",
            "Another program on this box holds the port of native (/dev/x).",
            "Otro programa de este equipo ocupa el puerto de native (/dev/x).",
        ),
        (
            "forbidden",
            "This box may not use the port of native (/dev/x).",
            "El equipo no tiene permiso para usar el puerto de native (/dev/x).",
        ),
        (
            "other",
            "native cannot be opened: it broke. It is tried again by itself.",
            "native no se puede abrir: it broke.",
        ),
    ],
)
def test_a_line_that_is_not_there_says_what_to_do(kind, english, spanish):
    line = LineState("native", "serial:/dev/x", False, Trouble("it broke", kind, port="/dev/x"))
    assert of_line(line)[0].startswith(english)
    assert of_line(line, language="es")[0].startswith(spanish)


def test_before_it_was_opened_a_line_is_in_no_trouble():
    assert of_line(LineState("native", "x", False))[0] == ""


def test_two_meters_with_one_id_are_named():
    assert told(device(trouble=FOREIGN, address=7))[2] == (
        "Two meters answer at ID 7 (0220060041 and 0220060112). Their values are not used. Start Link mode and press "
        "the button of the new one. If 0220060112 was put in the place of 0220060041, "
        "say so on this device's Config page."
    )
    assert told(device(trouble=Trouble("…", "twice"), address=7))[2].startswith("Every answer at ID 7 arrives damaged")


def test_a_refusal_is_told_only_of_a_device_that_gives_nothing_else():
    refused = Trouble("…", "refused", code=2, register=256)
    assert told(device(trouble=refused))[2] == ""
    assert told(device(trouble=refused, values={}))[2] == (
        "Main answers but refuses register 256 (exception 2). Is the model right?"
    )


def test_a_trouble_of_no_known_kind_is_told_as_it_is():
    assert told(device(trouble="it is on fire"))[2] == "it is on fire"
    assert told(silent(tries=(), trouble="it is on fire"))[2] == "it is on fire"


def test_a_line_that_damages_answers_is_told_by_how_many():
    line = LineState("native", "x", True, "", {"requests": 200, "answers": 180, "garbled": 20})
    assert of_line(line)[0] == (
        "10 % of answers on native arrive damaged. Check termination and shield, or two meters with one ID."
    )
    assert of_line(LineState("native", "x", True, "", {"requests": 9, "answers": 0, "garbled": 9}))[0] == ""


@pytest.mark.parametrize(
    ("counters", "verdict"),
    [
        ({}, "Nothing was asked on native yet."),
        ({"requests": 100, "answers": 90, "timeouts": 10}, "10 % of the requests on native are not answered."),
        (
            {"requests": 1000, "answers": 999, "timeouts": 1, "turnaround_mean_s": 0.0123},
            "native works well: 99.9 % of the requests are answered, on average after 12 ms.",
        ),
    ],
)
def test_the_verdict_of_a_line_without_trouble(counters, verdict):
    assert of_line(LineState("native", "x", True, "", counters))[1].startswith(verdict)


def test_while_meters_are_linked_nobody_is_called_silent():
    linking = LineState("native", "x", True, suspended="devices are being linked")
    two = [silent("a"), silent("b", address=2)]
    assert of_line(linking, *two)[0] == ""
    assert told(*two, line=linking) == (
        "paused",
        "Paused since 10:34",
        "Not read now: meters are being linked on native.",
    )


def test_whoever_is_looked_for_in_vain_does_not_count_against_the_line():
    good, nobody = {"requests": 100, "answers": 100}, {"requests": 40, "timeouts": 40}
    total = {"requests": 140, "answers": 100, "timeouts": 40}
    line = LineState("native", "x", True, "", total, stations={"1": good, "247": nobody})
    assert of_line(line, device())[1].startswith("native works well: 100 % of the requests are answered")
