import pytest

from concentrator.app.tokens import FILE, open_tokens


def test_tokens_are_kept_where_nobody_else_reads_them(tmp_path):
    secret = open_tokens(tmp_path).add("grafana", ["read"], 9.0)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert secret not in (tmp_path / FILE).read_text()
    assert open_tokens(tmp_path).find(secret).name == "grafana"


def test_a_damaged_file_lets_nobody_in_and_is_left_as_it_is(tmp_path):
    (tmp_path / FILE).write_text("{")
    tokens = open_tokens(tmp_path)
    assert list(tokens) == []
    with pytest.raises(OSError, match="damaged"):
        tokens.add("grafana", ["read"], 9.0)
    assert (tmp_path / FILE).read_text() == "{"
