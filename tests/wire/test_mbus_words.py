"""M-Bus requests in words."""

import pytest

from concentrator.wire.mbus_words import asked


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("10 40 01 41 16", "reset"),
        ("10 5B 01 5C 16", "a telegram"),
        ("10 7B FD 78 16", "a telegram"),
        ("10 7A 01 7B 16", "alarms"),
        ("68 0B 0B 68 73 FD 52 78 56 34 12 FF FF FF FF D2 16", "select 12345678-*-*-*"),
        ("68 03 03 68 73 01 50 C4 16", "application reset"),
        ("68 03 03 68 73 01 BB 2F 16", "2400 bits per second"),
        ("68 06 06 68 73 01 51 01 7A 05 45 16", "3 bytes of data"),
        ("68 03 03 68 73 01 54 C8 16", "CI 54"),
        ("68 03 03 68 08 01 70 79 16", ""),
        ("01 03 00 00 00 50 45 F6", ""),
        ("10 40 01 42 16", ""),
        ("", ""),
    ],
)
def test_a_request_is_told_in_words(request_, words):
    assert asked(bytes.fromhex(request_)) == words
