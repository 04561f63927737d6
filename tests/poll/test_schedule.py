"""concentrator.poll.schedule: everybody gets a share, silent stations a small one."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.poll.schedule import PROBE_MIN_S, PROBE_SHARE, Job, Schedule


def timetable(stations, period_s=3.0, cost_s=0.3):
    schedule = Schedule()
    for station in range(stations):
        jobs = [Job(station, "who", 60.0, is_probe=True, cost_s=cost_s), Job(station, "fast", period_s)]
        schedule.add(station, jobs, 0.0)
    return schedule


def played(schedule, seconds, takes, answers=lambda station: True):
    """Runs the timetable on a line where each job takes `takes(job)` seconds; gives the jobs done, with moments."""
    now, done = 0.0, []
    while now < seconds:
        due = schedule.due(now)
        if not due:
            now = max(schedule.wake_at(), now + 1e-6)
            continue
        job = due[0]
        now += takes(job)
        done.append((now, job))
        schedule.settled(job, now)
        if answers(job.station):
            schedule.resume(job.station, now)
        else:
            schedule.silence(job.station, now)
    return done


def test_a_new_station_is_asked_who_it_is_before_anything_else():
    schedule = timetable(2)
    assert [(job.station, job.key) for job in schedule.due(0.0)] == [(0, "who"), (1, "who")]
    schedule.settled(schedule.due(0.0)[0], 0.1)
    schedule.resume(0, 0.1)
    assert [(job.station, job.key) for job in schedule.due(0.2)] == [(1, "who"), (0, "fast")]


def test_periods_are_kept_where_the_line_can():
    done = played(timetable(8), 600.0, lambda job: 0.1)
    counts = Counter((job.station, job.key) for _, job in done)
    assert all(195 <= counts[station, "fast"] <= 201 for station in range(8))
    assert all(10 <= counts[station, "who"] <= 11 for station in range(8))


def test_a_line_that_cannot_keep_up_serves_all_alike():
    """33 meters at 131 ms take 4.3 s a round: all get one read a round, nobody two."""
    done = played(timetable(33), 300.0, lambda job: 0.131)
    counts = Counter(job.station for _, job in done if job.key == "fast")
    assert max(counts.values()) - min(counts.values()) <= 1
    assert min(counts.values()) >= 60


def test_a_late_job_is_replaced_not_queued_twice():
    schedule = timetable(1)
    schedule.resume(0, 0.0)
    job = schedule.due(50.0)[0]
    schedule.settled(job, 50.0)
    assert schedule.due(50.0) == [job]
    schedule.settled(job, 50.1)
    assert schedule.due(50.1) == []
    assert schedule.wake_at() == pytest.approx(53.0)


@pytest.mark.parametrize(("silent", "stations"), [(1, 8), (4, 32), (32, 33)])
def test_probes_of_silent_stations_take_a_small_share_of_the_line(silent, stations):
    done = played(
        timetable(stations),
        3600.0,
        lambda job: 0.3 if job.station < silent else 0.1,
        answers=lambda station: station >= silent,
    )
    probing = sum(0.3 for now, job in done if job.station < silent and now > 60)
    assert probing <= PROBE_SHARE * 3600 * 1.05
    probed = Counter(job.station for _, job in done if job.station < silent)
    longest = max(PROBE_MIN_S, silent * 0.3 / PROBE_SHARE)
    assert min(probed.values()) >= 3600 / longest * 0.8


def test_a_station_that_comes_back_is_due_at_once():
    schedule = timetable(1)
    schedule.silence(0, 10.0)
    assert schedule.due(10.0 + PROBE_MIN_S - 0.1) == []
    probe = schedule.due(10.0 + PROBE_MIN_S + 1.0)[0]
    assert probe.key == "who"
    schedule.settled(probe, 17.0)
    schedule.resume(0, 17.0)
    assert [job.key for job in schedule.due(17.0)] == ["fast"]


def test_a_suspended_line_is_left_alone_and_goes_on_where_it_was():
    schedule = timetable(1)
    schedule.resume(0, 0.0)
    schedule.suspend()
    assert schedule.due(100.0) == []
    assert schedule.wake_at() is None
    schedule.go_on(100.0)
    assert [job.key for job in schedule.due(100.0)] == ["fast", "who"] or len(schedule.due(100.0)) == 2


@given(
    periods=st.lists(st.floats(1.0, 60.0), min_size=1, max_size=12),
    silent=st.sets(st.integers(0, 11)),
    takes=st.floats(0.01, 0.5),
)
def test_nobody_starves(periods, silent, takes):
    """Whatever the periods, the load and who is silent: every station that answers is read again and again."""
    schedule = Schedule()
    for station, period_s in enumerate(periods):
        jobs = [Job(station, "who", 60.0, is_probe=True), Job(station, "fast", period_s)]
        schedule.add(station, jobs, 0.0)
    done = played(schedule, 300.0, lambda job: takes, answers=lambda station: station not in silent)
    load = takes * sum(1 / period for period in periods) + 0.2
    for station, period_s in enumerate(periods):
        reads = [now for now, job in done if job.station == station and job.key == "fast"]
        if station in silent:
            assert reads == []
        else:
            wait = max(b - a for a, b in zip([0.0, *reads], [*reads, 300.0], strict=True))
            assert wait <= 3 * period_s * max(load, 1.0) + len(periods) * takes * 2 + 1
