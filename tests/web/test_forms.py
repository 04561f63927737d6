import pytest

from concentrator.web.forms import Entry, Field, Form


@pytest.fixture
def form():
    return Form(
        (
            Field("host", "Host", value="b"),
            Field("on", "On", Entry.TICK, "on"),
            Field("password", "Password", Entry.SECRET),
            Field("allow", "Allow", Entry.TICKS, "read", choices=(("read", "r"), ("write", "w"))),
            Field("ca", "CA", Entry.FILE, "/old.pem"),
            Field("note", "Note", Entry.LONG, "a"),
        )
    )


def test_nothing_sent_takes_boxes_away_and_leaves_the_rest(form):
    form.take({})
    assert form.changes() == {"on": "", "allow": ""}
    assert (form.value("host"), form.is_on("on"), form.has("allow", "read")) == ("b", False, False)


def test_what_was_typed_is_kept_as_it_was_but_for_blanks_around_one_line(form):
    form.take({"host": " c ", "on": "on", "password": " s ", "allow-write": "on", "note": " a\r\nb ", "ca": "/old.pem"})
    assert form.changes() == {"host": "c", "password": " s ", "allow": "write", "note": " a\nb "}
    assert form.has("allow", "write") and not form.has("allow", "read")


def test_a_secret_is_never_drawn_and_counts_only_where_one_was_typed(form):
    form.take({"password": "s"})
    assert form.shown("password") == "" and form.changes()["password"] == "s"
    form.take({"password": ""})
    assert "password" not in form.changes()


def test_a_file_can_be_done_without(form):
    form.take({"ca": "/old.pem", form.field("ca").tick_name("none"): "on"})
    assert form.changes()["ca"] == "" and form.field("ca").file_name == "ca-file"


def test_the_first_fault_of_a_field_stands(form):
    assert form.is_right
    form.fault("host", "one")
    form.fault("host", "two")
    assert form.faults == {"host": "one"} and not form.is_right
