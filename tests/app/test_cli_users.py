import json

import pytest

from concentrator.app.cli import main
from concentrator.app.gate import FILE
from concentrator.web.users import Users
from tests.support.web import CHEAP, at_once
from tests.web.test_users import GOOD, now


@pytest.fixture
def users(tmp_path):
    return Users(None, (tmp_path / FILE).write_bytes, at_once, cost=CHEAP)


def said(capsys, *words):
    status = main(list(words))
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_password_the_box_made_is_shown(users, tmp_path, capsys):
    now(users.begin("admin"))
    first = users.first().first
    assert said(capsys, "password", "--state-dir", str(tmp_path)) == (0, f"admin signs in with {first}\n", "")
    _, out, _ = said(capsys, "password", "--state-dir", str(tmp_path), "--json")
    assert json.loads(out) == {"user": "admin", "password": first}


def test_one_that_was_chosen_is_not_known(users, tmp_path, capsys):
    now(users.begin("admin"))
    now(users.set_password("admin", GOOD))
    status, out, err = said(capsys, "password", "--state-dir", str(tmp_path))
    assert (status, out) == (1, "")
    assert "`ccmaster password --new USER` makes one" in err


def test_a_box_that_was_never_started_has_none(tmp_path, capsys):
    status, _, err = said(capsys, "password", "--state-dir", str(tmp_path))
    assert status == 1
    assert "the box was not started yet" in err


def test_a_new_one_is_asked_of_the_running_box(tmp_path, capsys, monkeypatch):
    asked = []

    def act(folder, name, /, **arguments):
        asked.append((folder, name, arguments))
        return {"name": "anna", "password": "abcde-fghjk-mnpqr"}

    monkeypatch.setattr("concentrator.app.control.act", act)
    status, out, _ = said(capsys, "password", "--state-dir", str(tmp_path), "--new", "anna")
    assert (status, out) == (0, "anna signs in with abcde-fghjk-mnpqr, and chooses another\n")
    assert asked == [(tmp_path, "user.reset", {"name": "anna"})]
