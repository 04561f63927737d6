import pytest

from concentrator.system.nic import bytes_moved, uplink_mac

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


@pytest.fixture
def machine(tmp_path):
    """Cards with their addresses, and a table of routes."""

    def machine(cards, *routes):
        for name, mac in cards.items():
            (tmp_path / "net" / name).mkdir(parents=True)
            if mac is not None:
                (tmp_path / "net" / name / "address").write_text(f"{mac}\n")
        (tmp_path / "route").write_text(HEAD + "".join(f"{route}\n" for route in routes))
        return uplink_mac(tmp_path / "net", tmp_path / "route")

    return machine


def route(card, destination="00000000", metric=100, mask="00000000"):
    return f"{card}\t{destination}\t0104A8C0\t0003\t0\t0\t{metric}\t{mask}\t0\t0\t0"


CARDS = {"eth0": "02:1b:63:84:45:e6", "lo": "00:00:00:00:00:00", "wlan0": "02:1b:63:84:45:e7"}


def test_the_card_that_leads_to_the_internet_gives_the_address(machine):
    assert machine(CARDS, route("eth0", "0004A8C0", 0, "00FFFFFF"), route("wlan0")) == "02:1B:63:84:45:E7"


def test_of_two_ways_the_cheaper_one_counts(machine):
    assert machine(CARDS, route("wlan0", metric=600), route("eth0", metric=100)) == "02:1B:63:84:45:E6"


def test_a_machine_without_a_way_out_has_the_address_of_its_first_card(machine):
    assert machine(CARDS) == "02:1B:63:84:45:E6"


def test_a_card_without_an_address_is_passed_over(machine):
    assert machine({"can0": None, "tun0": "", **CARDS}, route("tun0")) == "02:1B:63:84:45:E6"


def test_a_machine_without_cards_has_none(machine, tmp_path):
    assert machine({"lo": "00:00:00:00:00:00"}) == ""
    assert uplink_mac(tmp_path / "nothing", tmp_path / "nowhere") == ""


def test_what_a_card_has_moved_is_received_and_sent_together(tmp_path):
    counters = tmp_path / "wwan0" / "statistics"
    counters.mkdir(parents=True)
    (counters / "rx_bytes").write_text("1000\n")
    (counters / "tx_bytes").write_text("234\n")
    assert bytes_moved("wwan0", tmp_path) == 1234


@pytest.mark.parametrize("card", ["", "wwan1", "..", "../etc", "a/b"])
def test_a_card_that_is_not_there_has_moved_nothing_that_is_known(tmp_path, card):
    assert bytes_moved(card, tmp_path) is None
