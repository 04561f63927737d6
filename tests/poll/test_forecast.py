from math import isclose

from concentrator.model.profile import Block, Function
from concentrator.poll.forecast import TELEGRAM_CHARACTERS, TURNAROUND_S, Wanted, forecast, session_s, transaction_s
from concentrator.poll.schedule import Job, Schedule
from concentrator.wire.conversation import LineSettings

BUS = LineSettings(9600)
FAST = Block(Function.HOLDING, 0x0100, 52)
ENERGIES = Block(Function.HOLDING, 0x0140, 64)


def test_a_read_takes_its_characters_the_turnaround_and_the_silence():
    assert isclose(transaction_s(FAST, BUS), (8 + 5 + 2 * 52) * 10 / 9600 + 0.010 + 3.5 * 10 / 9600)


def test_bits_travel_eight_to_a_character():
    coils = Block(Function.COIL, 0, 17)
    assert isclose(transaction_s(coils, BUS), (8 + 5 + 3) * 10 / 9600 + 0.010 + 3.5 * 10 / 9600)


def test_parity_makes_every_character_longer():
    assert transaction_s(FAST, LineSettings(9600, 11)) > transaction_s(FAST, BUS)


def test_a_device_that_wants_a_pause_holds_the_wire_for_it():
    assert isclose(transaction_s(FAST, BUS, 0.05), transaction_s(FAST, BUS) + 0.05)


def test_on_a_network_only_the_way_there_and_back_counts():
    assert transaction_s(FAST, None) == TURNAROUND_S


def test_a_line_with_room_keeps_every_period():
    seen = forecast([Wanted("main", FAST, 3.0), Wanted("main", ENERGIES, 60.0)], BUS)
    assert isclose(seen.utilisation, transaction_s(FAST, BUS) / 3 + transaction_s(ENERGIES, BUS) / 60)
    assert [kept.period_s for kept in seen.reads] == [3.0, 60.0]


def test_on_a_line_without_room_every_period_grows_by_the_same_share():
    reads = [Wanted(f"m{n}", block, every) for n in range(33) for block, every in ((FAST, 3.0), (ENERGIES, 60.0))]
    seen = forecast(reads, BUS)
    assert seen.utilisation > 1
    assert {round(kept.period_s / kept.wanted.period_s, 9) for kept in seen.reads} == {round(seen.utilisation, 9)}
    assert isclose(sum(kept.cost_s / kept.period_s for kept in seen.reads), 1.0)


def test_an_unused_line_has_nothing_to_keep():
    seen = forecast([], BUS)
    assert (seen.utilisation, seen.reads) == (0, ())


def test_the_schedule_keeps_what_was_foretold_on_a_line_without_room():
    reads = [Wanted(f"m{n}", block, every) for n in range(33) for block, every in ((FAST, 3.0), (ENERGIES, 60.0))]
    seen = forecast(reads, BUS)
    costs = {(kept.wanted.owner, kept.wanted.block.address): kept.cost_s for kept in seen.reads}
    schedule, made, now = Schedule(), dict.fromkeys(costs, 0), 0.0
    for read in reads:
        job = Job(read.owner, read.block.address, read.period_s)
        schedule.add(job.station, [who := Job(read.owner, "who", 3600.0, is_probe=True), job], now)
        schedule.answered(who, now)
    while now < 4000:
        job = schedule.most_urgent(now)
        if job is None:
            now = schedule.wake_at()
            continue
        now += costs.get((job.station, job.key), 0.0)
        schedule.answered(job, now)
        made[job.station, job.key] = made.get((job.station, job.key), 0) + 1
    for kept in seen.reads:
        times = made[kept.wanted.owner, kept.wanted.block.address]
        assert abs(4000 / times - kept.period_s) < 0.07 * kept.period_s


def test_a_meter_of_an_m_bus_is_greeted_asked_and_dismissed():
    bus = LineSettings(2400, 11)
    said = 5 + 1 + 5 + TELEGRAM_CHARACTERS + 5 + 1
    assert isclose(session_s(bus, is_selected=False), said * 11 / 2400 + 3 * ((330 / 2400 + 0.05) / 2 + 11 / 2400))
    assert isclose(session_s(bus, is_selected=True) - session_s(bus, is_selected=False), 12 * 11 / 2400)
    assert session_s(LineSettings(300, 11), is_selected=True) > 6 * session_s(bus, is_selected=True)


def test_a_read_that_says_what_it_costs_is_believed():
    seen = forecast([Wanted("flat", Block(Function.INPUT, 0, 0), 10.0, cost_s=4.0)] * 3, None)
    assert isclose(seen.utilisation, 1.2)
    assert all(kept.cost_s == 4.0 and isclose(kept.period_s, 12.0) for kept in seen.reads)
