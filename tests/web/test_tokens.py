import pytest

from concentrator.model.errors import OutOfRange, Unknown
from concentrator.web.tokens import NAME_MOST, PREFIX, TOKENS_MOST, Tokens


@pytest.fixture
def kept():
    return []


@pytest.fixture
def tokens(kept):
    return Tokens(kept.append)


def test_a_token_is_found_by_its_secret_which_is_kept_nowhere(tokens, kept):
    secret = tokens.add("grafana", ["read"], 9.0)
    assert secret.startswith(PREFIX) and len(secret) > 40
    found = tokens.find(secret)
    assert (found.name, found.allowed, found.made_at) == ("grafana", ("read",), 9.0)
    assert secret.encode() not in kept[-1] and secret not in repr(found)
    for other in ("", PREFIX, secret[:-1], secret + "x", found.fingerprint):
        assert tokens.find(other) is None


def test_tokens_are_the_same_after_a_restart(tokens, kept):
    secrets = [tokens.add(name, ["read", "write"], 9.0) for name in ("one", "two")]
    tokens.remove("one")
    again = Tokens(kept.append)
    again.load(kept[-1])
    assert [each.name for each in again] == ["two"]
    assert again.find(secrets[0]) is None
    assert again.find(secrets[1]).allowed == ("read", "write")


@pytest.mark.parametrize("kept", [b"", b"[]", b"{}", b'{"tokens": [{}]}', b'{"tokens": 1}', b"\xff"])
def test_a_damaged_file_is_said_to_be(kept):
    with pytest.raises(ValueError, match="damaged"):
        Tokens(lambda content: None).load(kept)


@pytest.mark.parametrize("name", ["", " ", " a", "a ", "a\nb", "x" * (NAME_MOST + 1)])
def test_a_name_that_cannot_be_one_is_refused(tokens, kept, name):
    with pytest.raises(OutOfRange, match="name"):
        tokens.add(name, ["read"], 9.0)
    assert kept == []


def test_a_name_is_given_once_and_there_are_not_any_number_of_tokens(tokens):
    for number in range(TOKENS_MOST):
        tokens.add(f"t{number}", ["read"], 9.0)
    with pytest.raises(OutOfRange, match="already"):
        tokens.add("t0", ["read"], 9.0)
    with pytest.raises(OutOfRange, match=str(TOKENS_MOST)):
        tokens.add("another", ["read"], 9.0)


def test_a_token_that_was_taken_back_is_nothing_any_more(tokens):
    secret = tokens.add("grafana", ["read"], 9.0)
    tokens.remove("grafana")
    assert tokens.find(secret) is None
    with pytest.raises(Unknown):
        tokens.remove("grafana")


def test_what_cannot_be_kept_has_not_happened():
    def full(content):
        raise OSError("no space left")

    tokens = Tokens(full)
    with pytest.raises(OSError, match="no space"):
        tokens.add("grafana", ["read"], 9.0)
    assert list(tokens) == []
