import pytest
from twisted.internet.defer import Deferred

from concentrator.web.gate import BUSY_S, Gate, Wait, Wrong
from concentrator.web.session import Sessions
from concentrator.web.tries import FREE, Tries
from concentrator.web.users import WAITING_MOST, Users
from tests.support.web import CHEAP, at_once
from tests.web.test_users import GOOD, now

HERE = "192.0.2.1"


@pytest.fixture
def gate(clock):
    users = Users(None, lambda content: None, at_once, cost=CHEAP)
    now(users.begin("admin", GOOD))
    return Gate(users, Sessions(clock), Tries(clock))


def test_who_says_the_right_words_gets_a_session_with_his_role(gate):
    key, session = now(gate.sign_in(HERE, "admin", GOOD))
    assert gate.sessions.find(key) is session
    assert (session.user, session.role, session.must_change) == ("admin", "administrator", True)


def test_a_session_from_before_the_login_ends_with_it(gate):
    before, _ = now(gate.sign_in(HERE, "admin", GOOD))
    after, _ = now(gate.sign_in(HERE, "admin", GOOD, before))
    assert gate.sessions.find(before) is None
    assert after != before


def test_who_says_wrong_ones_waits_longer_each_time_even_for_the_right_ones(gate, clock):
    for _ in range(FREE):
        with pytest.raises(Wrong):
            now(gate.sign_in(HERE, "admin", "wrong"))
    with pytest.raises(Wait) as wait:
        now(gate.sign_in(HERE, "admin", GOOD))
    assert wait.value.seconds == 1
    clock.advance(1)
    now(gate.sign_in(HERE, "admin", GOOD))


def test_tries_count_before_they_are_checked(gate):
    checks = []
    gate.users._nobody = "x"
    gate.users._in_thread = lambda job: checks.append(Deferred()) or checks[-1]
    waited = []
    for _ in range(FREE + 3):
        tried = Deferred.fromCoroutine(gate.sign_in(HERE, "admin", "wrong"))
        tried.addErrback(lambda failure: waited.append(failure.check(Wait, Wrong)))
    assert waited == [Wait] * 3
    while checks:
        checks.pop(0).callback(False)
    assert waited == [Wait] * 3 + [Wrong] * FREE


def test_who_comes_when_too_many_are_being_checked_is_told_when_to_come_again(gate):
    gate.users._in_thread = lambda job: Deferred()
    gate.users._nobody = "x"
    for number in range(WAITING_MOST + 1):
        Deferred.fromCoroutine(gate.sign_in(f"192.0.2.{number}", f"user{number}", "wrong"))
    with pytest.raises(Wait) as wait:
        now(gate.sign_in("198.51.100.1", "admin", GOOD))
    assert wait.value.seconds == BUSY_S
