"""concentrator.model.errors: one tree, one sentence each."""

import pytest

from concentrator.model import errors
from concentrator.model.errors import ConcentratorError, ConfigError, Fault, NoReply, Refused

CLASSES = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ConcentratorError)]


@pytest.mark.parametrize("each", CLASSES)
def test_every_error_has_a_sentence_for_whoever_reads_the_log(each):
    first = each.__doc__.strip().splitlines()[0]
    assert first[0].isupper()
    assert first.endswith(".")


def test_an_error_says_its_sentence_and_what_happened():
    assert str(NoReply()) == "The device did not answer in time."
    assert str(NoReply("nothing came within 300 ms")) == "The device did not answer in time: nothing came within 300 ms"
    assert str(Refused(2)) == "The device refused the request: exception code 2"


def test_a_fault_names_file_place_found_expected_and_hint():
    fault = Fault("box.toml", "mqtt", "prt", "an unknown key", "one of host, port", "port")
    assert str(fault) == "box.toml: [mqtt] prt: found an unknown key, expected one of host, port (did you mean port?)"
    assert str(Fault("box.toml", "", "", "no TOML", "TOML")) == "box.toml: found no TOML, expected TOML"
    assert str(Fault("a", "b", "", "x", "y")) == "a: [b]: found x, expected y"
    assert ConfigError([fault, fault]).faults == (fault, fault)
