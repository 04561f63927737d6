import pytest

from concentrator.system.commissioning import CommissioningFile


def test_steps_are_kept_from_one_run_to_the_next(tmp_path):
    CommissioningFile(tmp_path).note("2", "done")
    CommissioningFile(tmp_path).note("4", "skipped")
    CommissioningFile(tmp_path).note("4", "done")
    assert CommissioningFile(tmp_path).steps() == {"2": "done", "4": "done"}


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"steps": 3}', '{"steps": null}'])
def test_a_damaged_file_is_as_good_as_none(tmp_path, damage):
    kept = CommissioningFile(tmp_path)
    assert kept.steps() == {}
    (tmp_path / "commissioning.json").write_text(damage)
    assert kept.steps() == {}
    kept.note("1", "done")
    assert kept.steps() == {"1": "done"}
