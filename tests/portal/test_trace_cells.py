import re

from concentrator.actions.tracing import Told
from concentrator.model.trouble import Trouble
from concentrator.portal.trace_cells import Filter, rows_of
from concentrator.portal.words import say_in
from tests.support.web import MADRID, NOW

GOOD = Told(NOW, 0.1188, "1", "main", "read 52 holding registers at 0x0100", b"\x01\x03", b"\x01\x02", "")
LATE = Told(
    NOW + 0.5, 0.15, "2", "", "", b"\x02", b"", Trouble("The device did not answer in time: 150 ms", "no_reply")
)
REFUSED = Told(NOW + 1, 0.02, "12", "", "", b"\x0c", b"\x0c", Trouble("The device refused", "refused", code=2))
ALL = (GOOD, LATE, REFUSED)


def rows(which=Filter(), language="en", most=50):  # noqa: B008
    found = rows_of(ALL, which, say_in(language), MADRID, language, most)
    return [{part: re.sub("[\u00a0]", " ", text) for part, text in row.items()} for row in found]


def test_exchanges_are_told_newest_first_with_the_pause_before_each():
    newest, _, oldest = rows()
    assert (newest["at"], newest["gap"], newest["took"]) == ("10:41:08.000", "350.0 ms", "20.0 ms")
    assert (oldest["at"], oldest["gap"], oldest["took"]) == ("10:41:07.000", "", "118.8 ms")
    assert (oldest["request"], oldest["received"], oldest["device"]) == ("01 03", "01 02", "main")
    assert len({row["key"] for row in rows()}) == 3


def test_what_was_wrong_is_told_in_the_language():
    assert [row["verdict"] for row in rows()] == ["Refused: exception 2.", "No answer in time.", ""]
    assert [row["verdict"] for row in rows(language="es")] == ["Rechazada: excepción 2.", "Sin respuesta a tiempo.", ""]
    assert rows(language="es")[0]["took"] == "20,0 ms"
    odd = Told(NOW, 0.1, "1", "", "", b"", b"", "it is odd")
    assert rows_of([odd], Filter(), say_in("es"), MADRID, "es", 1)[0]["verdict"] == "it is odd"


def test_the_filter_leaves_those_of_one_id_or_those_that_went_wrong():
    assert [row["station"] for row in rows(Filter("1"))] == ["1"]
    assert [row["station"] for row in rows(Filter(only_errors=True))] == ["12", "2"]
    assert rows(Filter("1", only_errors=True)) == []


def test_of_a_long_trace_only_the_newest_are_told():
    assert [row["station"] for row in rows(most=2)] == ["12", "2"]
