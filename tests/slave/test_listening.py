"""concentrator.slave.listening: a port is listened at as soon as it can be had, for as long as it is wanted."""

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory

from concentrator.slave.listening import RETRY_S, Listening


class Endpoint:
    def __init__(self):
        self.tries = 0
        self.result = None

    def listen(self, factory):
        self.tries += 1
        return self.result


class Port:
    def __init__(self):
        self.stopped = 0

    def stopListening(self):  # noqa: N802 - Twisted's name
        self.stopped += 1
        return succeed(None)


def taken():
    return fail(CannotListenError("127.0.0.1", 502, OSError(98, "Address already in use")))


@pytest.fixture
def endpoint():
    return Endpoint()


@pytest.fixture
def listening(endpoint, clock):
    return Listening(endpoint, Factory(), "tcp:502", clock)


def test_a_port_that_is_free_is_open_until_it_is_not_wanted(listening, endpoint):
    port = Port()
    endpoint.result = succeed(port)
    listening.start()
    assert (listening.is_open, listening.trouble) == (True, "")
    listening.stop()
    assert (listening.is_open, port.stopped) == (False, 1)


def test_a_port_that_is_taken_is_tried_again_until_it_is_free(listening, endpoint, clock):
    endpoint.result = taken()
    listening.start()
    assert not listening.is_open
    assert listening.trouble.startswith("tcp:502: ") and "in use" in listening.trouble
    endpoint.result = taken()
    clock.advance(RETRY_S)
    assert endpoint.tries == 2
    endpoint.result = succeed(Port())
    clock.advance(RETRY_S)
    assert (listening.is_open, listening.trouble) == (True, "")
    listening.stop()


def test_nothing_is_tried_any_more_after_the_end(listening, endpoint, clock):
    endpoint.result = taken()
    listening.start()
    listening.stop()
    clock.advance(RETRY_S)
    assert endpoint.tries == 1


def test_a_port_on_its_way_is_given_up(listening, endpoint):
    endpoint.result = Deferred()
    listening.start()
    listening.stop()
    assert not listening.is_open and listening.trouble == ""
