import pytest

from concentrator.web.access import Role
from concentrator.web.session import IDLE_S, LONGEST_S, SESSIONS_MOST, Sessions


@pytest.fixture
def sessions(clock):
    return Sessions(clock)


def test_a_session_is_found_by_its_key_and_by_no_other(sessions):
    key, session = sessions.begin("ana", Role.INSTALLER)
    assert sessions.find(key) is session
    assert (session.user, session.role, session.must_change) == ("ana", Role.INSTALLER, False)
    assert sessions.find("") is None
    assert sessions.find(key[:-1]) is None


def test_every_login_has_a_key_and_a_token_of_its_own_that_nobody_guesses(sessions):
    begun = [sessions.begin("ana", Role.VIEWER) for _ in range(20)]
    assert len({key for key, _ in begun} | {session.token for _, session in begun}) == 40
    assert all(len(key) >= 40 and len(session.token) >= 30 for key, session in begun)
    assert all(key not in repr(vars(sessions)) for key, _ in begun)
    assert all(session.token not in repr(session) for _, session in begun)


def test_a_session_ends_after_an_hour_without_a_request(sessions, clock):
    key, _ = sessions.begin("ana", Role.VIEWER)
    for _ in range(3):
        clock.advance(IDLE_S - 1)
        assert sessions.find(key) is not None
    clock.advance(IDLE_S + 1)
    assert sessions.find(key) is None
    clock.advance(-2)
    assert sessions.find(key) is None


def test_a_session_ends_after_twelve_hours_however_busy(sessions, clock):
    key, _ = sessions.begin("ana", Role.VIEWER)
    for _ in range(int(LONGEST_S / 600)):
        clock.advance(600)
        assert sessions.find(key) is not None
    clock.advance(1)
    assert sessions.find(key) is None


def test_a_session_can_be_ended_alone_or_with_all_of_its_user(sessions):
    (one, _), (other, kept), (third, _) = (sessions.begin("ana", Role.VIEWER) for _ in range(3))
    (bens, _) = sessions.begin("ben", Role.VIEWER)
    sessions.end(one)
    assert sessions.find(one) is None
    sessions.end_of("ana", but=kept)
    assert (sessions.find(other), sessions.find(third)) == (kept, None)
    assert sessions.find(bens) is not None


def test_of_too_many_sessions_the_longest_idle_one_goes(sessions, clock):
    keys = []
    for _ in range(SESSIONS_MOST):
        keys.append(sessions.begin("ana", Role.VIEWER)[0])
        clock.advance(1)
    sessions.find(keys[0])
    clock.advance(1)
    newest, _ = sessions.begin("ana", Role.VIEWER)
    assert sessions.find(keys[1]) is None
    assert all(sessions.find(key) is not None for key in (newest, keys[0], *keys[2:]))
