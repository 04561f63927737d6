from concentrator.model.record import Receipt
from concentrator.uplink.window import Window
from tests.support.records import interval


def test_no_more_than_its_width_is_in_flight_and_each_landing_makes_room():
    records = [interval(n) for n in (4, 5, 6)]
    window = Window(records, 2)
    window.sent(window.next(), 101)
    window.sent(window.next(), 102)
    assert window.next() is None
    assert window.in_flight == {4, 5}
    assert window.landed(102) == 5
    assert window.next() is records[2]


def test_it_is_done_when_nothing_is_unsent_or_flying_and_the_receipt_tells_the_rest():
    window = Window([interval(4), interval(5), interval(6)], 9)
    for mid in (1, 2):
        window.sent(window.next(), mid)
    window.accept(window.landed(1))
    window.reject(window.landed(2), "no")
    assert not window.is_done
    window.stop_sending()
    assert window.is_done
    assert window.receipt == Receipt(frozenset({4}), {5: "no"})


def test_more_is_wanted_when_half_of_the_width_is_free_and_something_waits_or_all_is_done():
    window = Window([interval(n) for n in range(1, 6)], 4)
    for mid in (1, 2, 3, 4):
        window.sent(window.next(), mid)
    wanted = []
    for mid in (1, 2):
        window.accept(window.landed(mid))
        wanted.append(window.wants_more)
    assert wanted == [False, True]
    window.sent(window.next(), 5)
    wanted = []
    for mid in (3, 4, 5):
        window.accept(window.landed(mid))
        wanted.append(window.wants_more)
    assert wanted == [False, False, True]


def test_a_number_of_somebody_else_lands_nothing():
    assert Window([interval(1)], 1).landed(7) is None
