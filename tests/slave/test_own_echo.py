"""concentrator.slave.own_echo: a slave does not answer its own voice, and hears everybody else."""

from concentrator.slave.own_echo import OwnEcho

SAID = bytes.fromhex("0703020001AABB")  # a read's answer
WRITTEN = bytes.fromhex("070600010002AABB")  # a write's answer, and its request
ASKED = bytes.fromhex("0703000000010102")


def test_what_comes_back_is_dropped_however_it_comes():
    echo = OwnEcho()
    echo.said(SAID)
    assert [echo.without(bytes((byte,))) for byte in SAID] == [b""] * len(SAID)
    assert echo.is_known is True
    echo.said(SAID)
    assert echo.without(SAID + ASKED) == ASKED


def test_a_request_that_begins_like_the_answer_is_heard_whole():
    echo = OwnEcho()
    echo.said(SAID)
    assert echo.without(ASKED[:2]) == b""
    assert echo.without(ASKED[2:]) == ASKED
    assert echo.is_known is False
    assert echo.without(SAID) == SAID, "nothing is awaited any more"


def test_the_answer_to_a_write_is_not_carried_out_as_a_request():
    echo = OwnEcho()
    echo.said(WRITTEN)
    assert echo.without(WRITTEN) == b""
    assert echo.is_known is None, "it might have been the same request again"


def test_where_there_is_no_echo_the_same_write_again_is_heard():
    echo = OwnEcho()
    echo.said(SAID)
    echo.without(ASKED)
    echo.said(WRITTEN)
    assert echo.without(WRITTEN) == WRITTEN


def test_every_answer_to_a_read_tells_anew():
    echo = OwnEcho()
    echo.said(SAID)
    echo.without(ASKED)
    echo.said(SAID)
    assert echo.without(SAID) == b""
    assert echo.is_known is True
