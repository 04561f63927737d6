from io import BytesIO

import pytest

from concentrator.web.uploads import Upload, parts_of

KIND = "multipart/form-data; boundary=X"


def part(disposition, content):
    return f"--X\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + content + b"\r\n"


def parsed(*parts, kind=KIND, longest=1000, end=b"--X--\r\n"):
    return parts_of(kind, BytesIO(b"".join(parts) + end), longest)


def test_fields_and_files_come_apart_each_in_its_order():
    found = parsed(
        part('name="user"', "José".encode()),
        part('name="user"', b"b"),
        part('name="ca"; filename="ca.pem"', b"\x00\xff\r\n--"),
    )
    assert found.fields == {"user": ["José", "b"]}
    assert found.files == {"ca": [Upload("ca.pem", b"\x00\xff\r\n--")]}


def test_a_field_of_a_file_without_one_is_left_out():
    assert parsed(part('name="ca"; filename=""', b"")).files == {}


@pytest.mark.parametrize(
    "how",
    [
        {"kind": "multipart/form-data"},
        {"kind": "multipart/mixed; boundary=X"},
        {"kind": "multipart/form-data; boundary=Y"},
        {"end": b""},
        {"longest": 10},
    ],
)
def test_what_is_no_such_form_or_too_long_is_none(how):
    assert parsed(part('name="a"', b"x" * 11), **how) is None


def test_a_field_that_is_no_text_makes_it_none():
    assert parsed(part('name="a"', b"\xff")) is None


def test_more_parts_than_a_form_has_are_none():
    assert parsed(*[part('name="a"', b"")] * 501) is None


def test_the_name_of_a_file_is_never_a_path():
    for sent in ("../../etc/passwd", r"C:\\keys\\passwd"):
        assert parsed(part(f'name="a"; filename="{sent}"', b"x")).files["a"] == [Upload("passwd", b"x")]
