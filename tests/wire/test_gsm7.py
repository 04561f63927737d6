"""concentrator.wire.gsm7: the alphabet of short messages, and seven bits in eight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smspdudecoder.codecs import GSM

from concentrator.wire.gsm7 import fitted, is_writable, packed, septets, text_of, trimmed, unpacked

ALL = "".join(text_of(bytes((code,))) for code in range(128) if code != 0x1B)
EXTENDED = "^{}\\[~]|€\f"


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        # protocols.md, F.3
        ("hellohello", "E8329BFD4697D9EC37"),
        ("SMS START", "D3E61434A506A554"),
        ("SMS START OK", "D3E61434A506A554D07309"),
    ],
)
def test_known_texts_are_packed_as_others_pack_them(text, octets):
    assert packed(septets(text)).hex().upper() == octets
    assert text_of(unpacked(bytes.fromhex(octets), len(text))) == text


def test_every_character_of_both_tables_comes_back():
    assert len(ALL) == len(set(ALL)) == 127
    for text in (ALL, EXTENDED):
        assert text_of(septets(text)) == text
    assert len(septets(EXTENDED)) == 2 * len(EXTENDED)


@given(st.text(ALL + EXTENDED, max_size=160))
def test_another_program_reads_what_we_pack(text):
    coded = septets(text)
    # Seven free bits at the end read as one more character, an @, unless the count is known: it is told there.
    read = GSM.decode(packed(coded).hex(), strip_padding=False)
    assert read.startswith(text) and read[len(text) :] in ("", "@")


@given(st.binary(max_size=200).map(lambda raw: bytes(each & 0x7F for each in raw)), st.integers(0, 6))
def test_septets_come_back_behind_any_free_bits(coded, fill):
    assert unpacked(packed(coded, fill), len(coded), fill) == coded


@given(st.binary(max_size=200), st.integers(0, 300), st.integers(0, 6))
def test_any_octets_are_some_text(octets, count, fill):
    assert isinstance(text_of(unpacked(octets, count, fill)), str)


def test_an_escape_before_what_the_extension_has_not_shows_the_character_and_a_second_one_a_space():
    assert text_of(b"\x1bA\x1b\x1bB\x1b") == "A B"


def test_a_character_of_neither_table_is_refused_by_name():
    assert not is_writable("ж")
    with pytest.raises(ValueError, match="'ж'"):
        septets("aж")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Generator é ñ Ü €", "Generator é ñ Ü €"),
        ("90°C – “hot”…", '90 deg C - "hot"...'),
        ("ő ŷ ç Å", "o y c Å"),
        ("柴油机 1", "??? 1"),
        ("㎥ ﬁ", "m3 fi"),
    ],
)
def test_what_the_alphabet_lacks_becomes_what_is_like_it_or_a_question_mark(text, written):
    assert fitted(text) == written


@given(st.text(max_size=50))
def test_a_fitted_text_can_be_written(text):
    assert is_writable(fitted(text))


def test_a_text_is_trimmed_by_what_it_takes_not_by_characters():
    assert trimmed("a" * 160, 160) == "a" * 160
    assert trimmed("a" * 161, 160) == "a" * 158 + ".."
    assert trimmed("€" * 81, 160) == "€" * 79 + ".."
    assert len(septets(trimmed("a€" * 80, 160))) <= 160
