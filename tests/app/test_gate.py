import json
import stat

import pytest
from twisted.internet.defer import Deferred

from concentrator.app.config import load
from concentrator.app.gate import FILE, GateAccounts, build_gate, first_user, kept_users
from concentrator.model.errors import Unknown
from concentrator.system.files import write_whole
from concentrator.web.access import Role
from concentrator.web.gate import Gate
from concentrator.web.session import Sessions
from concentrator.web.tries import Tries
from concentrator.web.users import Refusal, Users, users_of
from tests.support.web import CHEAP, at_once
from tests.web.test_users import now


@pytest.fixture
def config(tmp_path):
    def made(more=""):
        file = tmp_path / "ccmaster.toml"
        file.write_text(f'[box]\nstate_dir = "{tmp_path}"\n{more}')
        return load(file)

    return made


def users(config):
    """Users in the folder of a configuration, without threads."""
    file = config.box.state_dir / FILE
    return Users(kept_users(file), lambda content: write_whole(file, content, 0o600), at_once, cost=CHEAP)


def test_a_new_box_makes_a_password_of_its_own_that_only_its_own_user_can_read(config, tmp_path):
    now(first_user(config(), users(config())))
    [first] = users_of((tmp_path / FILE).read_bytes())
    assert (first.name, first.role, first.must_change) == ("admin", Role.ADMINISTRATOR, False)
    assert len(first.first) == 17
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_the_manuals_password_is_there_where_it_is_asked_for_and_must_be_changed(config, tmp_path):
    told = config("manual_defaults = true\n[web]\nuser = 'root'\n")
    now(first_user(told, users(told)))
    [first] = users_of((tmp_path / FILE).read_bytes())
    assert (first.name, first.must_change, first.first) == ("root", True, "")
    assert now(users(told).check("root", "admin")) == first


def test_what_is_kept_outlives_other_settings(config, tmp_path):
    now(first_user(config(), users(config())))
    kept = (tmp_path / FILE).read_bytes()
    told = config("manual_defaults = true\n[web]\nuser = 'root'\n")
    now(first_user(told, users(told)))
    assert (tmp_path / FILE).read_bytes() == kept


def test_a_damaged_file_lets_nobody_in_and_stays_as_it_is(config, tmp_path, clock):
    (tmp_path / FILE).write_text("{")
    assert build_gate(config(), "4220080001", clock) is None
    assert (tmp_path / FILE).read_text() == "{"


def test_a_gate_knows_the_users_that_were_kept(config, clock):
    now(first_user(config(), users(config())))
    gate = build_gate(config(), "4220080001", clock)
    assert [each.name for each in gate.users] == ["admin"]


@pytest.fixture
def gate(clock):
    users = Users(None, lambda content: None, at_once, cost=CHEAP)
    now(users.begin("admin"))
    return Gate(users, Sessions(clock), Tries(clock))


def test_accounts_are_listed_without_any_secret(gate):
    accounts = GateAccounts(gate)
    gate.sessions.begin("admin", Role.ADMINISTRATOR)
    told = accounts.listed()
    assert told == [{"name": "admin", "role": "administrator", "must_change": False, "sessions": 1}]
    assert gate.users.first().first not in json.dumps(told)


def test_whoever_is_changed_has_to_sign_in_again(gate):
    accounts = GateAccounts(gate)
    password = now(accounts.add("anna", "viewer"))
    for change in (
        lambda: accounts.set_role("anna", "installer"),
        lambda: now(accounts.reset("anna")),
        lambda: accounts.remove("anna"),
    ):
        key, _ = gate.sessions.begin("anna", Role.VIEWER)
        admins, _ = gate.sessions.begin("admin", Role.ADMINISTRATOR)
        change()
        assert gate.sessions.find(key) is None
        assert gate.sessions.find(admins) is not None
    assert now(gate.users.check("anna", password)) is None


def test_what_cannot_be_is_refused(gate):
    accounts = GateAccounts(gate)
    with pytest.raises(Unknown):
        accounts.set_role("nobody", "viewer")
    with pytest.raises(Refusal):
        accounts.remove("admin")
    failed = []
    Deferred.fromCoroutine(accounts.add("", "viewer")).addErrback(lambda failure: failed.append(failure.check(Refusal)))
    assert failed == [Refusal]
