"""Telegrams of meters: those of real ones beside what an independent decoder says, and the standard's own corners."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.errors import Garbled, Refused, Unexpected, WireError
from concentrator.wire.mbus_frame import Frame
from concentrator.wire.mbus_record import Function, decoded, telegram_of
from tests.support.mbus_telegrams import frames, told_of

FUNCTIONS = {
    "Instantaneous value": Function.INSTANT,
    "Actual value": Function.INSTANT,
    "Maximum value": Function.MAXIMUM,
    "Minimum value": Function.MINIMUM,
    "Value during error state": Function.ERROR,
    "": Function.INSTANT,
}
FIXED_UNITS = {"l": ("m³", 1e-3), "kWh": ("Wh", 1e3), "reserved but historic": ("m³", 1e-3)}
"""The independent decoder leaves the units of the fixed structure as they are."""
DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")
MOST_EXTENSIONS = 10


def telegram(text):
    """The telegram with these records behind a header."""
    return decoded(Frame(0x08, 1, 0x72, bytes.fromhex("78563412 2D2C 08 04 2A 00 0000" + text)))


def record(text):
    """The only record of a telegram."""
    (only,) = telegram(text).records
    return only


def test_every_telegram_decodes_to_what_an_independent_decoder_says():
    differing, compared, of_dates = [], 0, 0
    for name, frame in frames("frames").items():
        said = [each for each in told_of(name) if each.function not in ("Manufacturer specific", "More records follow")]
        ours = telegram_of(frame).records
        assert len(ours) == len(said), name
        for mine, its in zip(ours, said, strict=True):
            compared += 1
            of_dates += bool(DATE.fullmatch(its.value))
            if not (is_place_of(mine, its) and is_value_of(mine, its)):
                differing.append((name, mine, its))
    assert differing == []
    assert compared > 400
    assert of_dates > 50


def is_place_of(mine, its):
    places = (FUNCTIONS[its.function], its.storage, its.tariff, its.subunit)
    # A former value has a storage number of its own here, in words there.
    storage = 0 if its.unit == "reserved but historic" else mine.storage
    return places == (mine.function, storage, mine.tariff, mine.subunit)


def is_value_of(mine, its):
    if mine.meaning.word.startswith("reserved VIF"):
        return not its.value
    if mine.meaning.form == "date":
        return is_date_of(mine, its)
    if mine.number.digits and mine.value is None:
        # Digits that are none: the independent decoder counts with them all the same, with every second one as 0.
        return f"{counted(mine.number.digits)}".rstrip("0") == its.value.replace(".", "").rstrip("0")
    unit, factor = FIXED_UNITS.get(its.unit, (its.unit, 1))
    if unit not in (mine.meaning.unit, "Units for H.C.A.") or isinstance(mine.value, str):
        return mine.value == its.value
    return float(its.value) * factor == pytest.approx(mine.value, rel=1e-9, abs=5e-7)  # six decimals are written


def counted(digits):
    nibbles = [int(digit, 16) for digit in digits]
    kept = [0 if nibble > 9 and not place % 2 else nibble for place, nibble in enumerate(nibbles)]
    return sum(nibble * 10**place for place, nibble in enumerate(reversed(kept)))


def is_date_of(mine, its):
    raw = mine.raw[-4:]
    if mine.notes and mine.notes[0].startswith("date of"):
        # The independent decoder does not know this VIFE: it takes the date for a number of what is dated.
        return f"{int.from_bytes(raw, 'little')}".rstrip("0") == its.value.replace(".", "").rstrip("0")
    if mine.value is None:
        is_none = its.value in ("2000-00-00", "1900-01-00T00:00:00Z")
        # A year of all ones is every year (EN 13757-3, annex A), which is no moment.
        return is_none or (raw == bytes.fromhex("0000e1f1") and its.value == "2027-01-01T00:00:00Z")
    return mine.value in (its.value, its.value.removesuffix(":00Z"), its.value.removesuffix("Z"))


def test_every_malformed_telegram_is_refused_with_a_reason():
    reasons = {}
    for name, frame in frames("error-frames").items():
        with pytest.raises(WireError) as caught:
            telegram_of(frame)
        reasons[name] = caught.value.detail
    assert reasons == {
        "application_busy": "application error 8, application busy",
        "buffer_too_long": "application error 2, buffer too long",
        "error": "application error 0, unspecified error",
        "premature_end_of_record": "application error 4, premature end of record",
        "premature_end_of_vif1": "it ends 1 bytes too soon, in byte 24",
        "too_long_var_vif": "a VIF in words of 243 characters",
        "too_many_difes": "application error 5, more than 10 DIFE",
        "too_many_records": "application error 3, too many records",
        "too_many_vife": "more than 10 VIFE",
        "unimplemented_ci": "application error 1, CI not implemented",
        "unspecified_error": "application error 0, unspecified error",
    }


def test_the_header_tells_who_speaks():
    header = telegram("").header
    assert (str(header.address), header.access, header.status) == ("12345678-KAM-08-04", 42, 0)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("04 06 FFFFFFFF", -1000, "Wh"),
        ("04 03 39300000", 12345, "Wh"),
        ("0C 13 78563412", 12345.678, "m³"),
        ("0C 13 785634F2", -2345.678, "m³"),
        ("02 FB 08 0500", 500_000_000, "J"),
        ("02 FB 01 0500", 5_000_000, "Wh"),
        ("02 FD 48 FC08", 230.0, "V"),
        ("02 FD 59 D204", 1.234, "A"),
        ("02 40 0600", 3.6e-5, "m³/h"),
        ("01 23 02", 172_800, "s"),
        ("05 2B 00002041", 10.0, "W"),
        ("02 83 74 0A00", 0.1, "Wh"),
        ("02 83 7D 0A00", 10_000, "Wh"),
        ("02 DA 79 D200", 21.01, "°C"),
        ("02 FC 03 48 52 25 74 D411", 45.64, "%RH"),
        ("07 03 0000000000000080", -(2**63), "Wh"),
        ("06 03 FFFFFFFFFF7F", 2**47 - 1, "Wh"),
        ("0E 03 563412907856", 567890123456, "Wh"),
        ("0D 03 C3 563412", 123456, "Wh"),
        ("0D 03 D3 563412", -123456, "Wh"),
        ("0D 03 E2 0080", -32768, "Wh"),
        ("02 2C 0200", 20, "W"),
        ("01 FD 17 FF", 255, ""),
    ],
)
def test_a_number_is_exactly_what_was_sent(text, value, unit):
    found = record(text)
    assert found.value == value
    assert (found.meaning.unit or found.meaning.word if unit == "%RH" else found.meaning.unit) == unit
    if found.number.steps is not None:
        assert found.number.exact == Fraction(str(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42 6C 7F1C", "2011-12-31"),
        ("42 6C 81A1", "1984-01-01"),
        ("04 6D 1A 2F 65 11", "2011-01-05T15:26"),
        ("04 6D 1A 0F 65 11", "2011-01-05T15:26"),
        ("06 6D 1E 1A 0F 65 11 00", "2011-01-05T15:26:30"),
        ("03 6D 1E 1A 0F", "15:26:30"),
        ("02 EC 7E 7F1C", "2011-12-31"),
        ("0D FD 0B 05 3132484657", "WFH21"),
        ("0D 78 F0 000102030405060708090A0B0C0D0E0F", "0F0E0D0C0B0A09080706050403020100"),
    ],
)
def test_dates_and_texts_are_read_as_people_write_them(text, value):
    assert record(text).value == value


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("0C 2B DDBBEEDD", "it shows DDEEBBDD"),
        ("42 6C 0000", "a date that there is not"),
        ("42 6C FFFF", "no date"),
        ("04 6D 9A 2F 65 11", "a date that is not valid"),
        ("04 6D 3F 2F 65 11", "a date that there is not"),
        ("05 2B 0000C07F", "no number"),
        ("00 03", "no data"),
        ("02 83 15 0000", "no data"),
        ("02 83 16 0000", "overflow"),
        ("01 6C 01", "a date of 1 bytes"),
    ],
)
def test_where_there_is_no_value_the_reason_is_told(text, trouble):
    found = record(text)
    assert found.value is None
    assert found.trouble == trouble


def test_storage_tariff_and_subunit_are_gathered_from_all_extensions():
    found = record("C4 9F 7A 03 01000000")
    assert (found.storage, found.tariff, found.subunit) == (1 | 15 << 1 | 10 << 5, 1 | 3 << 2, 2)
    assert found.raw == bytes.fromhex("C4 9F 7A 03 01000000")


def test_the_makers_own_is_kept_as_it_came():
    found = telegram("04 03 01000000 1F 0102FF")
    assert found.rest == bytes.fromhex("0102FF")
    assert found.has_more
    assert not telegram("04 03 01000000 0F 0102FF").has_more
    assert record("02 83 FF 01 0500").notes == ("maker 01",)


def test_what_a_vife_adds_is_told_in_words():
    assert record("02 83 3B 0500").notes == ("positive only",)
    assert record("02 AB 20 0500").notes == ("per s",)
    assert record("04 AB 6F 32147A18").value == "2011-08-26T20:50"
    found = record("01 BB 59 03")
    assert (found.notes, found.value, found.meaning.unit) == (
        ("duration of first exceed of the upper limit, min",),
        180,
        "s",
    )


def test_bytes_may_come_high_first():
    data = bytes.fromhex("12345678 2C2D 08 04 2A 00 0000 04 03 00003039 02 6C 1C7F")
    found = decoded(Frame(0x08, 1, 0x76, data))
    assert str(found.header.address) == "12345678-KAM-08-04"
    assert [each.value for each in found.records] == [12345, "2011-12-31"]


def test_short_headers_and_none_are_read_too():
    short = decoded(Frame(0x08, 1, 0x7A, bytes.fromhex("2A 04 0000 04 03 39300000")))
    none = decoded(Frame(0x08, 1, 0x78, bytes.fromhex("04 03 39300000")))
    assert (short.header.address, short.header.status, short.records) == (None, 4, none.records)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3F", "DIF 3F, which is reserved"),
        ("7F", "DIF 7F, which is reserved"),
        ("04 03 010000", "it ends 1 bytes too soon"),
        ("0D 03 F7", "LVAR F7, which is reserved"),
        ("0D 03 05 00", "it ends 4 bytes too soon"),
        ("84" + "80" * MOST_EXTENSIONS + "00 03 01000000", "more than 10 DIFE"),
        ("04 FC 05 41", "it ends 4 bytes too soon"),
    ],
)
def test_a_telegram_of_which_a_record_is_malformed_is_refused_as_a_whole(text, reason):
    with pytest.raises(Garbled, match=reason):
        telegram("04 03 01000000" + text)


def test_ten_extensions_are_not_too_many():
    assert record("84" + "80" * (MOST_EXTENSIONS - 1) + "00 03 01000000").value == 1
    assert record("04 83" + "80" * (MOST_EXTENSIONS - 1) + "00 01000000").value == 1


def test_what_is_no_answer_is_none():
    with pytest.raises(Unexpected, match="no response"):
        decoded(Frame(0x53, 1, 0x51, b""))
    with pytest.raises(Unexpected, match="an alarm, 04"):
        decoded(Frame(0x08, 1, 0x71, b"\x04"))
    with pytest.raises(Garbled, match="CI 99"):
        decoded(Frame(0x08, 1, 0x99, b""))
    with pytest.raises(Garbled, match="15 bytes of the fixed structure"):
        decoded(Frame(0x08, 1, 0x73, bytes(15)))
    with pytest.raises(Refused) as caught:
        decoded(Frame(0x08, 1, 0x70, b"\x08"))
    assert caught.value.code == 0x7008


def test_a_counter_of_the_fixed_structure_is_binary_or_bcd():
    head = "78563412 0A {} E97E"
    of = [decoded(Frame(0x08, 5, 0x73, bytes.fromhex(head.format(s) + "10000000 35010000"))) for s in ("00", "01")]
    assert [[each.value for each in found.records] for found in of] == [[0.01, 0.135], [0.016, 0.309]]
    assert str(of[0].header.address) == "12345678-*-*-07"


RECORD_STARTS = st.sampled_from(
    [bytes.fromhex(each) for each in ("0403", "0C13", "426C", "046D", "0DFD0B", "02FC03", "84808003", "0F", "1F", "2F")]
)


@given(ci=st.sampled_from([0x70, 0x71, 0x72, 0x73, 0x76, 0x77, 0x78, 0x7A]) | st.integers(0, 255), data=st.binary())
def test_any_data_give_a_telegram_or_a_wire_error(ci, data):
    heard(Frame(0x08, 1, ci, data[:252]))


@given(data=st.lists(RECORD_STARTS | st.binary(max_size=6), max_size=12).map(b"".join))
def test_data_like_records_give_a_telegram_or_a_wire_error(data):
    heard(Frame(0x08, 1, 0x78, data[:252]))


@given(place=st.integers(0), byte=st.integers(0, 255), number=st.integers(0))
def test_a_real_telegram_with_any_byte_changed_is_read_or_refused(place, byte, number):
    whole = [*frames("frames").values()]
    body = bytearray(whole[number % len(whole)][6:-2])
    body[place % len(body)] = byte
    heard(Frame(0x08, 1, body[0], bytes(body[1:])))


def heard(frame):
    try:
        found = decoded(frame)
    except WireError:
        return
    for each in found.records:
        assert (each.value is None) == bool(each.trouble)
        if each.number.exact is not None:
            assert float(each.number.exact) == float(each.value)
