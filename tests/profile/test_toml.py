"""A profile file is the same document, right or wrong, whoever reads it."""

import subprocess
import sys
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.errors import ProfileError
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.load import parse_profile
from concentrator.profile.toml import read_one, reader_of_many

MANY = reader_of_many()

LATER_TOML = (
    "a = {b = 1,}",
    "a = {b = 1\n}",
    'a = "\\e"',
    'a = "\\x41"',
    "a = 07:32",
    "a = 2026-01-02T07:32Z",
    "\ufeffa = 1",
)
ODD = ("a = 1e400", "a = 1\na = 2", "[a]\n[a]", "a = .5", "a = 01", "a = 1\rb = 2", 'a = "\x7f"', "[a", "a =")


def outcome(read, source):
    try:
        return read(source)
    except tomllib.TOMLDecodeError as error:
        return str(error)


def test_there_is_a_compiled_reader_here():
    assert MANY is not read_one


@pytest.mark.parametrize("source", [*LATER_TOML, *ODD])
def test_what_only_one_of_the_parsers_takes_is_taken_or_refused_by_both_readers(source):
    assert outcome(MANY, source) == outcome(read_one, source)


def test_every_shipped_profile_is_the_same_document():
    catalogue = Catalogue()
    for key in sorted(catalogue.keys()):
        source = catalogue.file(key).read_text()
        assert repr(MANY(source)) == repr(read_one(source)), key


@given(
    st.lists(
        st.sampled_from([*"[]{}\"'=.,#\\ \n\r\t-+_:abeux019TZ\x00\x7f\ufeff", "a = ", "\nb = ", '"""']), max_size=30
    )
)
def test_any_text_is_the_same_or_refused_in_the_same_words(pieces):
    source = "".join(pieces)
    assert repr(outcome(MANY, source)) == repr(outcome(read_one, source))


def test_where_there_is_no_compiled_parser_the_standard_library_reads(monkeypatch):
    monkeypatch.setitem(sys.modules, "rtoml", None)
    assert reader_of_many() is read_one


def test_faults_have_the_same_words_and_places():
    source = '[profile]\ntype = "meter"\n[[variable]]\nname = "v1"\nunit = "Volt"\naddress = 70000\n[x]\n'
    told = []
    for read in (read_one, MANY):
        with pytest.raises(ProfileError) as caught:
            parse_profile(source, "acme/a3", read=read)
        told.append(list(map(str, caught.value.faults)))
    assert told[0] == told[1]
    assert len(told[0]) > 5


@pytest.mark.parametrize(
    ("asked", "is_loaded"), [('c.get("goodwe/et")', False), ("c.keys()", False), ("c.headings()", True)]
)
def test_a_box_with_few_devices_does_not_load_it(asked, is_loaded):
    program = f"import sys; from concentrator.profile.catalogue import Catalogue; c = Catalogue(); {asked}"
    said = subprocess.run(
        [sys.executable, "-c", f"{program}; print('rtoml' in sys.modules)"], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == str(is_loaded)
