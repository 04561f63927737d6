from urllib.parse import unquote

import pytest

from concentrator.portal.addresses import RESERVED, address_of, address_of_line, uid_of


@pytest.mark.parametrize("uid", ["cellar.4", "a b", "a/b", "ñ", "50%", "~a", "~", *sorted(RESERVED)])
def test_the_address_of_a_device_leads_back_to_it(uid):
    assert uid_of(unquote(address_of(uid).removeprefix("/devices/"))) == uid


def test_no_device_has_the_address_of_another_page():
    assert not {address_of(uid) for uid in RESERVED} & {f"/devices/{name}" for name in RESERVED}


def test_a_lines_name_is_one_part_of_its_address():
    assert address_of_line("a/b") == "/lines/a%2Fb"
