"""Where a gateway listens."""

from ipaddress import ip_network

from twisted.internet.error import CannotListenError

from concentrator.mbusgate.doorman import HANDSHAKE_S, RETRY_S, Doorman, Opening
from tests.support.gateways import Entrance, Guest


def made(clock, *openings):
    came, denied = [], []
    doorman = Doorman(openings, [ip_network("127.0.0.0/8")], 0.0, clock, came.append, lambda: denied.append(True))
    return doorman, came, denied


def test_a_port_that_is_taken_is_tried_again(clock):
    entrance, other = Entrance(), Entrance()
    entrance.refusal = CannotListenError("", 10001, OSError("in use"))
    doorman, came, _ = made(clock, Opening(entrance, "tcp:10001"), Opening(other, "tcp:10002"))
    doorman.start()
    assert "tcp:10001" in doorman.trouble
    Guest(other)
    assert len(came) == 1
    entrance.refusal = None
    clock.advance(RETRY_S)
    assert doorman.trouble == ""
    Guest(entrance)
    assert len(came) == 2
    doorman.stop()
    assert (entrance.closed, other.closed) == (1, 1)


def test_who_stops_tries_no_more(clock):
    entrance = Entrance()
    entrance.refusal = CannotListenError("", 10001, OSError("in use"))
    doorman, _, _ = made(clock, Opening(entrance, "tcp:10001"))
    doorman.start()
    doorman.stop()


def test_over_tls_nobody_has_come_before_he_is_known(clock):
    entrance = Entrance()
    doorman, came, denied = made(clock, Opening(entrance, "tls:1", is_tls=True))
    doorman.start()
    known, gone, silent = Guest(entrance), Guest(entrance), Guest(entrance)
    assert came == []
    known.protocol.handshakeCompleted()
    gone.leave()
    assert came == [known.protocol]
    clock.advance(HANDSHAKE_S)
    assert silent.is_out and not known.is_out
    assert (came, denied) == ([known.protocol], [True, True])
    doorman.stop()


def test_there_is_an_end_to_strangers(clock):
    entrance = Entrance()
    plain = Entrance()
    doorman, came, _ = made(clock, Opening(entrance, "tls:1", is_tls=True), Opening(plain, "tcp:2"))
    doorman.start()
    guests = [Guest(entrance) for _ in range(20)]
    assert [guest.is_denied for guest in guests] == [False] * 16 + [True] * 4
    assert came == [] and not Guest(plain).is_denied and len(came) == 1
    doorman.stop()
    assert all(guest.is_out for guest in guests[:16])
