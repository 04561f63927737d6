"""concentrator.poll.schedule: everybody gets a share, silent stations a small one."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.poll.schedule import PROBE_MIN_S, PROBE_SHARE, RETRY_S, Job, Schedule, Standing

FAILURES = 3


def timetable(stations, period_s=3.0, more=()):
    """Stations 0… with a probe every minute, a fast read and more of other periods."""
    schedule = Schedule()
    for station in range(stations):
        jobs = [Job(station, "who", 60.0, is_probe=True), Job(station, "fast", period_s)]
        schedule.add(station, [*jobs, *(Job(station, every_s, every_s) for every_s in more)], 0.0)
    return schedule


class Play:
    """A timetable on a line on which a job takes `takes(job)` seconds; `answers(station, now)` tells who does. What a
    failing job took is `takes` too. `done` are the jobs with the moments of their ends."""

    def __init__(self, schedule, takes, answers=lambda station, now: True):
        self.schedule, self.takes, self.answers = schedule, takes, answers
        self.now, self.done, self.failures = 0.0, [], Counter()

    def run(self, until):
        while self.now < until:
            job = self.schedule.most_urgent(self.now)
            if job is None:
                self.now = max(self.schedule.wake_at(), self.now)
                continue
            took_s = self.takes(job)
            self.now += took_s
            self.done.append((self.now, job))
            if self.answers(job.station, self.now):
                self.failures[job.station] = 0
                self.schedule.answered(job, self.now)
            else:
                self.failures[job.station] += 1
                self.schedule.failed(job, self.now, took_s, is_mute=True)
                if self.failures[job.station] >= FAILURES:
                    self.schedule.silence(job.station, self.now)
        return self

    def moments(self, station, key="fast", since=0.0):
        return [now for now, job in self.done if (job.station, job.key) == (station, key) and now >= since]

    def longest_s(self, stations, since, until, key="fast"):
        """The longest time between two reads of one of the stations."""
        gaps = [0.0]
        for station in stations:
            moments = [now for now in self.moments(station, key) if since <= now <= until]
            gaps += [after - before for before, after in pairwise(moments)]
        return max(gaps)


def opened(schedule, now=0.0):
    """Lets the probe of every station be answered."""
    while (job := schedule.most_urgent(now)) and job.is_probe:
        schedule.answered(job, now)
    return schedule


def test_a_new_station_is_asked_who_it_is_before_anything_else():
    schedule = timetable(2)
    first = schedule.most_urgent(0.0)
    assert (first.station, first.key) == (0, "who")
    schedule.answered(first, 0.1)
    second = schedule.most_urgent(0.1)
    assert (second.station, second.key) == (1, "who")
    schedule.failed(second, 0.4, 0.3, is_mute=True)
    job = schedule.most_urgent(0.4)
    assert (job.station, job.key) == (0, "fast")
    schedule.answered(job, 0.5)
    assert schedule.most_urgent(0.5) is None


def test_periods_are_kept_where_the_line_can():
    play = Play(timetable(8), lambda job: 0.1).run(600.0)
    counts = Counter((job.station, job.key) for _, job in play.done)
    assert all(195 <= counts[station, "fast"] <= 202 for station in range(8))
    assert all(10 <= counts[station, "who"] <= 11 for station in range(8))


def test_a_line_that_cannot_keep_up_serves_all_alike():
    """33 meters at 131 ms take 4.3 s a round: all get one read a round, nobody two."""
    play = Play(timetable(33), lambda job: 0.131).run(300.0)
    counts = Counter(job.station for now, job in play.done if job.key == "fast" and now > 20)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert min(counts.values()) >= 60


def test_what_is_read_seldom_is_read_soon_after_the_start_and_not_all_at_once():
    """Two jobs of every ten minutes each, of 33 stations on a full line: first reads within a minute, and no round in
    which they are repeated is much longer than the others."""
    play = Play(timetable(33, more=(600.0, 601.0)), lambda job: 0.131).run(1800.0)
    first = max(play.moments(station, 600.0)[0] for station in range(33))
    assert first < 60
    usual = 33 * 0.131 * (1 + 0.131 * 33 / 60)
    assert play.longest_s(range(33), since=60, until=1800) < usual + 0.5


def test_a_late_job_is_replaced_not_queued_twice():
    schedule = opened(timetable(1))
    schedule.answered(schedule.most_urgent(0.0), 0.0)
    job = schedule.most_urgent(29.0)
    schedule.answered(job, 29.0)
    assert schedule.most_urgent(29.0) is None
    assert schedule.wake_at() == pytest.approx(29.0 + 0.75 * 3.0)


def test_a_job_that_is_a_little_late_keeps_its_beat():
    schedule = opened(timetable(1))
    schedule.answered(schedule.most_urgent(0.0), 0.0)
    job = schedule.most_urgent(29.0)
    schedule.answered(job, 29.0)
    due = schedule.wake_at()
    schedule.answered(job, due + 0.5)
    assert schedule.wake_at() == pytest.approx(due + 3.0)


@pytest.mark.parametrize(("silent", "stations"), [(1, 8), (4, 32), (32, 33)])
@pytest.mark.parametrize("probe_s", [0.08, 0.31, 1.2])
def test_probes_of_silent_stations_take_a_small_share_of_the_line(silent, stations, probe_s):
    play = Play(
        timetable(stations),
        lambda job: probe_s if job.station < silent else 0.1,
        answers=lambda station, now: station >= silent,
    ).run(3600.0)
    settled_s = silent * probe_s + 1
    probing_s = sum(probe_s for now, job in play.done if job.station < silent and now > settled_s)
    assert probing_s <= PROBE_SHARE * 3600 * 1.01
    probed = Counter(job.station for _, job in play.done if job.station < silent)
    longest = max(PROBE_MIN_S + probe_s, silent * probe_s / PROBE_SHARE)
    assert min(probed.values()) >= (3600 - settled_s) / longest * 0.97


@pytest.mark.parametrize("silent", [1, 4, 20, 32])
def test_a_station_that_comes_back_is_read_again_in_time(silent):
    probe_s, back_at = 0.31, 1000.0
    play = Play(timetable(33), None, lambda station, now: station >= silent or (station == 0 and now > back_at))
    play.takes = lambda job: probe_s if job.station < silent and play.now < back_at else 0.131
    play.run(1400.0)
    assert play.moments(0, since=back_at)[0] <= back_at + max(30.0, silent * probe_s / PROBE_SHARE)


def test_a_station_that_comes_back_is_due_at_once():
    schedule = opened(timetable(1))
    schedule.silence(0, 10.0)
    assert schedule.most_urgent(10.0 + PROBE_MIN_S - 0.1) is None
    probe = schedule.most_urgent(10.0 + PROBE_MIN_S)
    assert probe.key == "who"
    schedule.answered(probe, 17.0)
    assert schedule.most_urgent(17.0).key == "fast"


@pytest.mark.parametrize("later_s", [0.31, 0.11])
def test_the_others_do_not_feel_that_some_die(later_s):
    """Four of 32 die at once on a full line. The line knows how fast they were, so the first failure of each costs
    72 ms; from then on it waits `later_s` for them. What is left here is the schedule's own part."""
    dead, dies_at, read_s = range(4), 100.0, 0.1055

    def takes(job):
        if job.station in dead and play.now >= dies_at:
            return 0.072 if play.failures[job.station] == 0 else later_s
        return read_s

    play = Play(timetable(32, 0.1), None, lambda station, now: station not in dead or now < dies_at)
    play.takes = takes
    play.run(400.0)
    alive = range(4, 32)
    before = play.longest_s(alive, 20, dies_at)
    assert play.longest_s(alive, dies_at, 400) <= 1.10 * before
    reads = sum(len(play.moments(station, since=dies_at + 60)) for station in alive)
    reads_before = sum(20 <= now < dies_at for station in alive for now in play.moments(station))
    period_s, period_before_s = 28 * 240 / reads, 28 * 80 / reads_before
    assert period_s <= 0.93 * period_before_s


def test_a_failed_read_is_tried_again_soon_but_not_back_to_back():
    schedule = timetable(2)
    for _ in range(4):
        schedule.answered(schedule.most_urgent(0.0), 0.0)
    job = schedule.most_urgent(3.0)
    schedule.failed(job, 3.3, 0.3, is_mute=True)
    other = schedule.most_urgent(3.3)
    assert other.station != job.station
    schedule.answered(other, 3.4)
    assert schedule.most_urgent(3.4) is None
    assert schedule.wake_at() == pytest.approx(3.3 + RETRY_S)
    assert schedule.most_urgent(3.3 + RETRY_S) is job
    schedule.answered(job, 3.9)
    assert schedule.standing(job.station) is Standing.OPEN
    assert schedule.most_urgent(6.0) is other


def test_a_station_in_doubt_is_asked_for_one_thing_only():
    schedule = opened(timetable(1, more=(8.0,)))
    job = schedule.most_urgent(0.0)
    schedule.failed(job, 0.3, 0.3, is_mute=True)
    assert schedule.wake_at() == pytest.approx(0.3 + RETRY_S)
    schedule.failed(job, 1.1, 0.3, is_mute=True)
    assert schedule.wake_at() == pytest.approx(1.1 + 3.0)
    schedule.answered(job, 4.2)
    assert {schedule.most_urgent(4.2).key} == {8.0}


def test_when_nobody_answers_somebody_is_probed_every_few_seconds():
    play = Play(timetable(8), lambda job: 0.31, lambda station, now: now < 60 or now > 300)
    play.run(400.0)
    probes = [now for now, _ in play.done if 120 < now < 300]
    assert max(after - before for before, after in pairwise(probes)) <= PROBE_MIN_S + 0.4
    assert len(probes) <= 180 / PROBE_MIN_S + 1
    stations = [job.station for now, job in play.done if 120 < now < 120 + 8 * PROBE_MIN_S + 1]
    assert set(stations) == set(range(8))
    assert min(now for now, _ in play.done if now > 300) <= 300 + PROBE_MIN_S + 0.4


def test_stations_that_may_be_back_are_probed_at_once():
    schedule = opened(timetable(3))
    for station in range(3):
        schedule.silence(station, 1.0)
    schedule.probe_at_once(1, 2.0)
    assert schedule.most_urgent(2.0).station == 1
    schedule.answered(schedule.most_urgent(2.0), 2.0)
    assert schedule.most_urgent(2.0).key == "fast"


def test_a_suspended_line_is_left_alone_and_goes_on_where_it_was():
    schedule = opened(timetable(1))
    schedule.suspend()
    assert schedule.most_urgent(100.0) is None
    assert schedule.wake_at() is None
    schedule.go_on(100.0)
    keys = []
    while (job := schedule.most_urgent(100.0)) is not None:
        keys.append(job.key)
        schedule.answered(job, 100.0)
    assert sorted(keys) == ["fast", "who"]


def test_a_station_that_is_held_is_only_asked_who_it_is_until_it_is_released():
    schedule = opened(timetable(1))
    schedule.hold(0, 1.0, 10.0)
    assert schedule.wake_at() == 11.0
    who = schedule.most_urgent(11.0)
    assert who.key == "who"
    schedule.answered(who, 11.0)
    assert schedule.wake_at() == 21.0
    schedule.failed(who, 21.0, 0.3, is_mute=False)
    assert (schedule.wake_at(), schedule.standing(0)) == (31.0, Standing.HELD)
    schedule.release(0, 31.0)
    assert schedule.most_urgent(31.0).key == "fast"


def test_a_removed_station_is_due_for_nothing():
    schedule = opened(timetable(2))
    schedule.remove(0)
    assert schedule.most_urgent(0.0).station == 1
    schedule.remove(1)
    assert (schedule.most_urgent(100.0), schedule.wake_at()) == (None, None)
    schedule.add(0, [Job(0, "who", 60.0, is_probe=True)], 100.0)
    assert schedule.most_urgent(100.0).station == 0


def test_what_replaces_a_job_is_due_at_once():
    schedule = opened(timetable(1))
    whole = schedule.most_urgent(0.0)
    schedule.answered(whole, 0.1)
    schedule.replace(whole, [Job(0, "left", 3.0), Job(0, "right", 3.0)], 0.1)
    seen = []
    while (job := schedule.most_urgent(0.1)) is not None:
        seen.append(job.key)
        schedule.answered(job, 0.1)
    assert seen == ["left", "right"]


def test_a_job_can_be_put_off_and_brought_forward():
    schedule = opened(timetable(1))
    job = schedule.most_urgent(0.0)
    schedule.answered(job, 0.1)
    schedule.postpone(job, 600.0)
    assert schedule.wake_at() < 61
    schedule.bring_forward(job, 5.0)
    assert schedule.wake_at() == 5.0
    schedule.rest(0, 9.0)
    assert schedule.wake_at() == 9.0


def test_a_job_that_could_not_be_made_blames_nobody():
    schedule = timetable(1)
    probe = schedule.most_urgent(0.0)
    schedule.passed_over(probe, 0.1)
    assert schedule.most_urgent(0.1) is probe
    schedule.answered(probe, 0.2)
    fast = schedule.most_urgent(0.2)
    schedule.passed_over(fast, 0.3)
    assert schedule.standing(0) is Standing.OPEN
    assert 0.3 < schedule.wake_at() <= 3.3


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
    play = Play(schedule, lambda job: takes, lambda station, now: station not in silent).run(300.0)
    load = takes * sum(1 / period for period in periods) + 0.2
    for station, period_s in enumerate(periods):
        reads = play.moments(station)
        if station in silent:
            assert reads == []
        else:
            wait = max(b - a for a, b in zip([0.0, *reads], [*reads, 300.0], strict=True))
            assert wait <= 3 * period_s * max(load, 1.0) + len(periods) * takes * 2 + 1


@given(
    deaths=st.lists(st.tuples(st.integers(0, 9), st.floats(0, 200), st.floats(1, 100)), max_size=12),
    probe_s=st.floats(0.05, 0.4),
)
def test_whoever_dies_and_comes_back_probes_keep_to_their_share(deaths, probe_s):
    """Ten stations, some away for a while now and then: what is spent on the silent ones, beyond each one's first
    probe, is 5 % of the time at most, as long as somebody answers."""

    def answers(station, now):
        return station >= 10 or not any(who == station and at <= now <= at + away_s for who, at, away_s in deaths)

    schedule = timetable(11)
    probing = []
    play = Play(schedule, lambda job: 0.05, answers)

    def takes(job):
        if schedule.standing(job.station) is not Standing.SILENT:
            return 0.05 if answers(job.station, play.now + 0.05) else probe_s
        if answers(job.station, play.now + probe_s):
            return 0.05
        probing.append(play.now)
        return probe_s

    play.takes = takes
    play.run(300.0)
    for first in range(len(probing)):
        spent_s = probe_s * (len(probing) - first)
        assert spent_s <= PROBE_SHARE * (300.0 - probing[first]) + 2 * probe_s + PROBE_SHARE * 2


def renewed(schedule, now, **periods):
    jobs = [Job(0, key, period_s) for key, period_s in periods.items()]
    schedule.renew(0, jobs, now)
    return jobs


def test_other_jobs_take_the_place_of_all_but_the_probe():
    play = Play(timetable(1, more=(10.0,)), lambda job: 0.01).run(30.0)
    renewed(play.schedule, play.now, here=2.0, there=5.0)
    play.run(90.0)
    assert not play.moments(0, "fast", since=30.1)
    assert not play.moments(0, 10.0, since=30.1)
    assert len(play.moments(0, "here", since=30.0)) == pytest.approx(30, abs=2)
    assert len(play.moments(0, "there", since=30.0)) == pytest.approx(12, abs=2)
    assert play.moments(0, "who", since=30.0)


def test_a_station_in_doubt_whose_jobs_become_others_is_tried_by_its_probe():
    play = Play(timetable(1), lambda job: 0.01, lambda station, now: now < 10).run(10.0)
    while play.schedule.standing(0) is Standing.OPEN:
        play.run(play.now + 0.1)
    assert play.schedule.standing(0) is Standing.DOUBTED
    renewed(play.schedule, play.now, here=2.0)
    play.answers = lambda station, now: True
    play.run(play.now + 10)
    assert play.schedule.standing(0) is Standing.OPEN
    assert len(play.moments(0, "here")) >= 4


def test_a_station_that_is_held_or_silent_keeps_only_its_probe_whatever_its_jobs_become():
    for standing in (Standing.HELD, Standing.SILENT):
        play = Play(timetable(1), lambda job: 0.01).run(10.0)
        if standing is Standing.HELD:
            play.schedule.hold(0, play.now, 10.0)
        else:
            play.schedule.silence(0, play.now)
        renewed(play.schedule, play.now, here=2.0)
        assert play.schedule.standing(0) is standing
        assert play.schedule.most_urgent(play.now + 9.0) is None or play.schedule.most_urgent(play.now + 9.0).is_probe
