import tracemalloc

import pytest

from concentrator.web.passwords import COST, Cost, fits, hashed, is_well_known, made

CHEAP = Cost(2, 1, 1)


def test_a_password_fits_what_is_kept_of_it_and_no_other_does():
    kept = hashed("correct horse", CHEAP)
    assert fits("correct horse", kept)
    assert not fits("correct horse ", kept)
    assert not fits("", kept)


def test_nothing_of_a_password_is_kept_and_two_users_with_one_password_do_not_look_alike():
    kept = hashed("correct horse", CHEAP)
    assert "correct" not in kept
    assert kept != hashed("correct horse", CHEAP)


def test_a_check_takes_at_most_16_mib_and_is_hard_in_memory():
    assert 4 * 2**20 <= 128 * COST.n * COST.r <= 16 * 2**20
    assert COST.p * COST.n * COST.r >= 10 * 2**13 * 8  # OWASP Password Storage Cheat Sheet, scrypt, 8 MiB
    tracemalloc.start()
    kept = hashed("correct horse")
    assert fits("correct horse", kept)
    assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    tracemalloc.stop()


def test_the_cost_is_kept_with_the_hash_so_that_it_can_rise_later():
    old, new = hashed("correct horse", Cost(2, 1, 1)), hashed("correct horse", Cost(4, 2, 1))
    assert fits("correct horse", old) and fits("correct horse", new)


@pytest.mark.parametrize("kept", ["", "plain", "md5$2$1$1$AA==$AA==", "scrypt$2$1$1$AA=="])
def test_what_is_kept_in_another_way_is_no_hash(kept):
    with pytest.raises(ValueError):
        fits("correct horse", kept)


def test_made_passwords_can_be_read_aloud_and_never_repeat():
    many = {made() for _ in range(500)}
    assert len(many) == 500
    assert not {*"0O1lI"} & set("".join(many))
    assert all(len(each) == 17 for each in many)


@pytest.mark.parametrize(
    "password",
    [
        "1234567890", "Password123", "aaaaaaaaaaaa", "ababababababab", "abcdefghijklm", "9876543210", "0123456789",
        "administrator", "Contraseña1", "installer1", "4220080001!!", "qwertyuiop",
    ],
)  # fmt: skip
def test_what_is_tried_first_is_known(password):
    assert is_well_known(password, "installer1", "4220080001")


@pytest.mark.parametrize("password", ["correct horse battery", "lluvia de mayo 7", made(), "xk2 9#pq!LL"])
def test_what_is_not_is_not(password):
    assert not is_well_known(password, "admin", "4220080001")
