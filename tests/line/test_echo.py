"""concentrator.line.echo: what an adapter gives back of what it sends."""

from concentrator.line.echo import Echo

REQUEST = b"\x01\x03\x00\x00\x00\x02\xc4\x0b"
REPLY = b"\x01\x03\x04\x00\x00\x00\x00\xfa\x33"


def echoing():
    """An echo that is known."""
    echo = Echo()
    echo.sent(REQUEST)
    assert echo.explains(REQUEST, ended=False)
    echo.over(REQUEST + REPLY, REPLY, is_answered=True)
    return echo


def test_bytes_that_make_no_reply_but_begin_with_the_request_prove_it():
    assert echoing().is_known is True


def test_the_beginning_of_the_request_is_waited_for_but_proves_nothing():
    echo = Echo()
    echo.sent(REQUEST)
    assert echo.explains(REQUEST[:7], ended=False)
    assert not echo.explains(REQUEST[:7], ended=True)
    assert not echo.explains(REPLY, ended=False)
    assert echo.is_known is None


def test_a_reply_that_came_without_it_disproves_it():
    echo = Echo()
    echo.sent(REQUEST)
    echo.over(REPLY, REPLY, is_answered=True)
    assert echo.is_known is False
    assert echo.strays(REQUEST) == REQUEST


def test_a_reply_that_is_the_very_copy_of_the_request_proves_nothing():
    echo = Echo()
    echo.sent(REQUEST)
    echo.over(REQUEST, REQUEST, is_answered=True)
    assert echo.is_known is None


def test_the_same_again_when_nobody_waits_does():
    echo = Echo()
    echo.sent(REQUEST)
    echo.over(REQUEST, REQUEST, is_answered=True)
    echo.strays(REQUEST[:3])
    echo.strays(REQUEST[3:])
    assert echo.is_known is True


def test_a_known_echo_is_taken_away():
    echo = echoing()
    echo.sent(REQUEST)
    assert echo.without(REQUEST[:5]) == b""
    assert echo.without(REQUEST) == b""
    assert echo.without(REQUEST + REPLY) == REPLY
    assert echo.without(b"\x00" + REQUEST + REPLY) == REPLY
    assert echo.without(REPLY) == REPLY


def test_the_echo_of_a_broadcast_is_no_stray_and_may_come_before_the_next_one():
    echo = echoing()
    echo.sent(b"all")
    assert echo.strays(b"a") == b""
    assert echo.strays(b"ll+noise") == b"+noise"
    echo.sent(b"all")
    echo.sent(REQUEST)
    assert echo.without(b"all" + REQUEST + REPLY) == REPLY


def test_an_echo_that_stays_away_is_doubted_in_the_end():
    echo = echoing()
    for _ in range(3):
        echo.sent(REQUEST)
        echo.over(REPLY, REPLY, is_answered=True)
    assert echo.is_known is None
