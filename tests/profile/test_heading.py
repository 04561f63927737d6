"""Headings: what a file says of itself, without its variables being read."""

import pytest

from concentrator.model.errors import ProfileError
from concentrator.model.profile import Status
from concentrator.profile.heading import Heading, read_heading
from tests.support.profiles import text, variable

HEAD = '[profile]\ntype = "meter"\nbrand = "Acme"\nclass = "three-phase"\nseries = "M1"\nmodels = ["M1", "M2"]\n'


@pytest.fixture
def heading(tmp_path):
    def read(source, hidden=()):
        (tmp_path / "m1.toml").write_text(source, encoding="utf-8")
        return read_heading(tmp_path / "m1.toml", "acme/m1", hidden)

    return read


@pytest.fixture
def faults(heading):
    def found(source):
        with pytest.raises(ProfileError) as caught:
            heading(source)
        return [str(fault).partition("m1.toml: ")[2] for fault in caught.value.faults]

    return found


def test_it_tells_what_one_chooses_by(heading, tmp_path):
    more = 'status = "cross-checked"\ndialect = "sunspec"\ndoubts = ["none"]\n'
    hidden = (tmp_path / "shipped.toml",)
    told = heading(f"{HEAD}{more}\n[[variable]]\nname = 1", hidden)
    assert told == Heading(
        "acme/m1",
        tmp_path / "m1.toml",
        "meter",
        "Acme",
        "three-phase",
        "M1",
        ("M1", "M2"),
        Status.CROSS_CHECKED,
        "sunspec",
        ("none",),
        hidden=hidden,
    )
    assert told.place == ("meter", "Acme", "three-phase", "M1")


def test_what_is_wrong_with_the_variables_does_not_matter_to_it(heading):
    assert heading(f"{HEAD}\n[[variable]]\n[broken").series == "M1"


@pytest.mark.parametrize(
    "source",
    [
        text([variable()]),
        f'{HEAD}doubts = ["""\n[[variable]]\n"""]\n[[variable]]\nname = "v1"\n',
        f'[[variable]]\nname = "v1"\n{HEAD}',
        HEAD,
    ],
)
def test_where_the_section_lies_in_the_file_does_not_matter(heading, source):
    assert heading(source).brand == "Acme"


def test_it_tells_whether_a_device_can_be_recognised(heading):
    assert not heading(HEAD).has_marks
    identify = '[[identify]]\nwhat = "model"\nfunction = "holding"\naddress = 0\ntype = "u16"\nmatch = "1"\n'
    assert heading(f"{HEAD}{identify}").has_marks


def test_every_fault_of_the_section_is_told(faults):
    assert faults('[profile]\ntype = 1\nbrand = "A"\nclass = "B"\nseries = "C"\nmodels = []\nstatus = "sure"\n') == [
        "[profile] type: found 1, expected a text",
        '[profile] status: found "sure", expected verified, cross-checked, single-source or proposed',
    ]
    assert faults("[other]\n") == ["profile: found nothing, expected a section [profile]"]
    assert faults("profile = 3\n") == ["profile: found 3, expected a section [profile]"]
    assert faults("[profile") == [
        "found Expected ']' at the end of a table declaration (at end of document), expected TOML"
    ]


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path):
    with pytest.raises(ProfileError, match="a readable file in UTF-8"):
        read_heading(tmp_path / "none.toml", "acme/none")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(ProfileError, match="a readable file in UTF-8"):
        read_heading(tmp_path / "bytes.toml", "acme/bytes")
