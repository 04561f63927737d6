import pytest

from concentrator.web.tries import (
    ADDRESS_LONGEST_S,
    FORGOTTEN_S,
    FREE,
    TABLE_MOST,
    USER_LONGEST_S,
    Tries,
    network_of,
)


@pytest.fixture
def tries(clock):
    return Tries(clock)


def fail(tries, count, address="192.0.2.1", user="admin"):
    for _ in range(count):
        tries.failed(address, user)


def test_who_mistypes_now_and_then_waits_for_nothing(tries):
    fail(tries, FREE - 1)
    assert tries.wait_s("192.0.2.1", "admin") == 0


def test_each_failure_beyond_costs_twice_the_wait_up_to_a_limit(tries, clock):
    fail(tries, FREE)
    waits = []
    for _ in range(14):
        waits.append(tries.wait_s("192.0.2.1", "somebody"))
        fail(tries, 1, user="somebody else")
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) == ADDRESS_LONGEST_S


def test_the_wait_goes_by(tries, clock):
    fail(tries, FREE + 2)
    clock.advance(3)
    assert tries.wait_s("192.0.2.1", "admin") == 1
    clock.advance(1)
    assert tries.wait_s("192.0.2.1", "admin") == 0


def test_a_user_is_protected_from_many_addresses_and_never_waits_long(tries):
    for number in range(200):
        tries.failed(f"192.0.2.{number}", "admin")
    assert tries.wait_s("198.51.100.1", "admin") == USER_LONGEST_S
    assert tries.wait_s("198.51.100.1", "anna") == 0


def test_nobody_can_keep_a_user_out_from_where_he_signed_in_before(tries):
    tries.passed("198.51.100.1", "admin")
    for number in range(200):
        tries.failed(f"192.0.2.{number}", "admin")
    assert tries.wait_s("198.51.100.1", "admin") == 0
    fail(tries, 10, "198.51.100.1")
    assert tries.wait_s("198.51.100.1", "admin") > 0


def test_a_login_makes_good_what_failed_before(tries):
    fail(tries, FREE + 4)
    tries.passed("192.0.2.1", "admin")
    fail(tries, FREE - 1)
    assert tries.wait_s("192.0.2.1", "admin") == 0


def test_failures_are_forgotten_after_an_hour(tries, clock):
    fail(tries, FREE + 4)
    clock.advance(FORGOTTEN_S)
    fail(tries, 1)
    assert tries.wait_s("192.0.2.1", "admin") == 0


def test_the_tables_stay_small(tries):
    for number in range(TABLE_MOST + 50):
        tries.failed(f"10.0.{number // 256}.{number % 256}", f"user{number}")
        tries.passed(f"10.1.{number // 256}.{number % 256}", f"user{number}")
    assert max(len(each) for each in (tries._by_address, tries._by_user, tries._trusted)) <= TABLE_MOST


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_addresses_of_one_subscriber_are_one(address, network):
    assert network_of(address) == network
