"""concentrator.app.cloud_kept: what outlives a restart, and what does not get in its way."""

import pytest

from concentrator.app.cloud_kept import FILE, Kept, hostid_of
from concentrator.wire.smartgen_fields import Wiring


def test_an_id_is_made_of_the_serial_and_kept_whatever_the_serial_is_later(tmp_path):
    made = Kept(tmp_path).hostid("one", "4426110001")
    assert made == hostid_of("4426110001", "one")
    assert len(made) == 24 and made == made.upper() and int(made, 16) > 0
    assert Kept(tmp_path).hostid("one", "4426119999") == made
    assert Kept(tmp_path).hostid("two", "4426110001") != made


def test_a_wiring_is_that_of_its_settings(tmp_path):
    kept = Kept(tmp_path)
    assert kept.wiring("one", "as configured") is None
    kept.keep_wiring("one", "as configured", Wiring(3, 1))
    assert Kept(tmp_path).wiring("one", "as configured") == Wiring(3, 1)
    assert Kept(tmp_path).wiring("one", "otherwise") is None
    kept.keep_wiring("one", "", None)
    assert Kept(tmp_path).wiring("one", "as configured") is None


@pytest.mark.parametrize(
    "content", ["", "nonsense", "[1]", '{"one": 3}', '{"one": {"wiring": [9, 9], "settings": "x"}}']
)
def test_a_file_that_makes_no_sense_is_as_if_it_were_not_there(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    kept = Kept(tmp_path)
    assert kept.wiring("one", "x") is None
    assert kept.hostid("one", "4426110001") == hostid_of("4426110001", "one")


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path):
    kept = Kept(tmp_path / "missing")
    assert kept.hostid("one", "4426110001") == hostid_of("4426110001", "one")
