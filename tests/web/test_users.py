import json

import pytest
from twisted.internet.defer import Deferred

from concentrator.model.errors import Busy, Unknown
from concentrator.web.access import Role
from concentrator.web.users import WAITING_MOST, Refusal, Users, digest_of
from tests.support.web import CHEAP, at_once

GOOD = "lluvia de mayo 7"


def now(coroutine):
    """What a coroutine gives that waits for nothing."""
    found = []
    Deferred.fromCoroutine(coroutine).addBoth(found.append)
    [result] = found
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result


@pytest.fixture
def kept():
    return []


@pytest.fixture
def users(kept):
    users = Users(None, kept.append, at_once, cost=CHEAP, box=("4220080001",))
    now(users.begin("admin"))
    return users


def again(kept):
    """The users after a restart."""
    return Users(kept[-1], kept.append, at_once, cost=CHEAP)


def test_the_first_user_is_an_administrator_with_a_password_of_this_boxs_own(users, kept):
    first = users.first()
    assert (first.name, first.role, first.must_change) == ("admin", Role.ADMINISTRATOR, False)
    assert now(users.check("admin", first.first)) == first
    other = Users(None, kept.append, at_once, cost=CHEAP)
    now(other.begin("admin"))
    assert other.first().first != first.first


def test_a_factory_password_lets_in_and_must_be_changed(kept):
    users = Users(None, kept.append, at_once, cost=CHEAP)
    now(users.begin("admin", "admin"))
    assert now(users.check("admin", "admin")).must_change
    assert users.first() is None
    now(users.set_password("admin", GOOD))
    assert now(users.check("admin", "admin")) is None
    assert not now(users.check("admin", GOOD)).must_change


def test_users_outlive_a_restart_and_the_first_is_made_once(users, kept):
    now(users.add("anna", Role.INSTALLER))
    later = again(kept)
    now(later.begin("root", "admin"))
    assert list(later) == list(users)


def test_once_a_password_is_chosen_the_first_one_is_kept_nowhere(users, kept):
    first = users.first().first
    assert first in kept[-1].decode()
    now(users.set_password("admin", GOOD))
    assert first not in kept[-1].decode()
    assert GOOD not in kept[-1].decode()
    assert users.first() is None
    assert now(users.check("admin", first)) is None


def test_nobody_is_let_in_with_a_wrong_name_or_password(users):
    assert now(users.check("admin", "wrong")) is None
    assert now(users.check("nobody", users.first().first)) is None
    assert now(users.check("Admin", users.first().first)) is None
    assert now(users.check("admin", users.first().first + "x" * 500)) is None


def test_who_is_not_known_costs_a_check_like_who_is(users):
    jobs = []

    def counting(job):
        jobs.append(1)
        return at_once(job)

    other = Users(None, lambda content: None, counting, cost=CHEAP)
    now(other.begin("admin"))
    now(other.check("admin", "wrong"))
    jobs.clear()
    now(other.check("admin", "wrong"))
    known = len(jobs)
    jobs.clear()
    now(other.check("nobody", "wrong"))
    assert len(jobs) == known == 1


def test_checks_take_turns_and_no_more_wait_than_there_is_room_for(kept):
    begun, ends = [], []

    def slowly(job):
        begun.append(job)
        ends.append(Deferred())
        return ends[-1]

    row = {"name": "admin", "role": "administrator", "password": "x"}
    users = Users(json.dumps({"users": [row]}).encode(), kept.append, slowly, cost=CHEAP)
    users._nobody = "x"
    told = []
    waiting = [Deferred.fromCoroutine(users.check("admin", GOOD)) for _ in range(WAITING_MOST + 1)]
    refused = Deferred.fromCoroutine(users.check("admin", GOOD))
    refused.addErrback(lambda failure: told.append(failure.check(Busy)))
    assert told == [Busy]
    assert len(begun) == 1
    while ends:
        ends.pop(0).callback(False)
    assert len(begun) == WAITING_MOST + 1
    assert [each.result for each in waiting] == [None] * (WAITING_MOST + 1)


def test_a_password_that_was_changed_while_the_old_one_was_checked_lets_nobody_in(kept):
    users = Users(None, kept.append, at_once, cost=CHEAP)
    now(users.begin("admin", "admin"))
    now(users.check("admin", "x"))
    turn = Deferred()
    users._in_thread = lambda job: turn
    checked = Deferred.fromCoroutine(users.check("admin", "admin"))
    users._users["admin"] = users._users["admin"].__class__("admin", Role.ADMINISTRATOR, "another")
    turn.callback(True)
    assert checked.result is None


def test_somebody_added_must_change_what_he_was_given(users):
    password = now(users.add("anna", Role.VIEWER))
    assert now(users.check("anna", password)).must_change
    assert now(users.add("berta", Role.VIEWER, GOOD)) == GOOD
    assert users.find("berta").must_change


@pytest.mark.parametrize("name", ["", "a b", "a/b", "<b>", "x" * 33, "-x", "añna", "a\nb"])
def test_a_name_is_letters_and_figures(users, name):
    with pytest.raises(Refusal) as refused:
        now(users.add(name, Role.VIEWER))
    assert refused.value.code == "name"


@pytest.mark.parametrize(
    ("password", "code"),
    [("short", "length"), ("x" * 201, "length"), ("password123", "common"), ("4220080001", "common")],
)
def test_a_password_that_is_tried_first_is_refused(users, password, code):
    with pytest.raises(Refusal) as refused:
        now(users.set_password("admin", password))
    assert refused.value.code == code
    assert password not in str(refused.value)


def test_there_is_always_somebody_who_can_manage_the_others(users):
    for act in (lambda: users.remove("admin"), lambda: users.set_role("admin", Role.VIEWER)):
        with pytest.raises(Refusal) as refused:
            act()
        assert refused.value.code == "last"
    now(users.add("anna", Role.ADMINISTRATOR))
    users.set_role("admin", Role.VIEWER)
    users.remove("admin")
    assert [each.name for each in users] == ["anna"]


def test_two_users_never_have_one_name_in_whatever_letters(users):
    with pytest.raises(Refusal) as refused:
        now(users.add("ADMIN", Role.VIEWER))
    assert refused.value.code == "taken"


def test_a_reset_makes_a_password_that_must_be_changed(users):
    now(users.set_password("admin", GOOD))
    password = now(users.reset("admin"))
    assert now(users.check("admin", GOOD)) is None
    assert now(users.check("admin", password)).must_change
    with pytest.raises(Unknown):
        now(users.reset("nobody"))


def test_a_digest_is_kept_only_of_who_needs_one_and_only_as_long(users, kept):
    now(users.add("anna", Role.VIEWER))
    users.take_digests({"admin": {"config"}})
    assert users.find("admin").digests == {"config": ""}
    now(users.set_password("admin", GOOD))
    known = {"config": digest_of("admin", "config", GOOD)}
    assert again(kept).find("admin").digests == known
    users.take_digests({"admin": ["config", "more"]})
    assert users.find("admin").digests == known | {"more": ""}
    now(users.check("admin", GOOD))
    assert users.find("admin").digests == known | {"more": digest_of("admin", "more", GOOD)}
    assert users.find("anna").digests == {}
    users.take_digests({})
    assert users.find("admin").digests == {}
    assert known["config"] not in kept[-1].decode()


def test_a_reset_forgets_what_digest_needed_of_the_old_password(users):
    users.take_digests({"admin": {"config"}})
    now(users.set_password("admin", GOOD))
    now(users.reset("admin"))
    assert users.find("admin").digests == {"config": ""}


def test_what_cannot_be_kept_has_not_changed(users):
    def full(content):
        raise OSError("no room")

    users._keep = full
    with pytest.raises(OSError):
        now(users.add("anna", Role.VIEWER))
    assert users.find("anna") is None


@pytest.mark.parametrize("kept", [b"", b"{}", b"[]", b'{"users": [{"name": "a"}]}', b'{"users": [{"role": "x"}]}'])
def test_a_damaged_file_is_no_empty_one(kept):
    with pytest.raises(ValueError, match="damaged"):
        Users(kept, lambda content: None, at_once)


def test_no_user_shows_a_secret(users):
    user = users.first()
    assert user.password not in repr(user)
    assert user.first not in repr(user)
