from math import nan

import pytest
from attrs import evolve
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from concentrator.api import LineState, MonthsTraffic, UplinkState
from concentrator.portal.metrics import Figures, exposition
from tests.support.service_box import CLOUD, MODEM, PORT
from tests.support.web import NOW, FakeBox, device

FIGURES = Figures(12.5, 60_000_000, 31, NOW - 100, 4096, 48211)


@pytest.fixture
def box():
    box = FakeBox()
    counters = {"requests": 12, "answers": 11, "timeouts": 1}
    box.lines = [LineState("native", "serial:x", True, counters=counters, utilisation=0.25, round_s=0.4)]
    box.lines[0] = evolve(
        box.lines[0], stations={"1": {"requests": 9, "timeouts": 0, "busy_s": nan}, "2": {"requests": 3}}
    )
    return box


def read(box, figures=FIGURES):
    """The figures as another program reads them: (name, labels) → value."""
    text = exposition(box.sources, figures).decode()
    return {
        (sample.name, *(f"{key}={value}" for key, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_another_program_reads_every_figure(box):
    found = read(box)
    assert found["ccmaster_info", "model=PRO", "serial=4220080001", "version=0.1.0"] == 1
    assert found["process_cpu_seconds_total",] == 12.5
    assert found["process_resident_memory_bytes",] == 60_000_000
    assert found["process_open_fds",] == 31
    assert found["ccmaster_journal_size_bytes",] == 4096
    assert found["ccmaster_journal_records_total",] == 48211
    assert found["ccmaster_line_open", "line=native"] == 1
    assert found["ccmaster_line_requests_total", "line=native"] == 12
    assert found["ccmaster_line_timeouts_total", "line=native"] == 1
    assert found["ccmaster_station_requests_total", "line=native", "station=1"] == 9
    assert found["ccmaster_station_requests_total", "line=native", "station=2"] == 3
    assert found["ccmaster_station_timeouts_total", "line=native", "station=1"] == 0
    assert ("ccmaster_station_busy_s_total", "line=native", "station=1") not in found, "it is no number"
    assert found["ccmaster_line_used_ratio", "line=native"] == 0.25
    assert found["ccmaster_line_round_seconds", "line=native"] == 0.4
    assert found["ccmaster_uplink_up", "uplink=mqtt"] == 1
    assert found["ccmaster_uplink_waiting_records", "uplink=mqtt"] == 0


def test_a_device_has_one_state_of_all_there_are(box):
    box.devices = [device("main"), device("b", health="silent", last_seen=None)]
    found = read(box)
    states = {name[1:]: value for name, value in found.items() if name[0] == "ccmaster_device_health"}
    assert {labels for labels, value in states.items() if value} == {
        ("ccmaster_device_health=answering", "device=main", "line=native"),
        ("ccmaster_device_health=silent", "device=b", "line=native"),
    }
    assert len(states) == 8
    assert found["ccmaster_device_last_seen_seconds", "device=main", "line=native"] == NOW - 2
    assert ("ccmaster_device_last_seen_seconds", "device=b", "line=native") not in found


def test_traffic_is_told_where_it_is_counted(box):
    traffic = MonthsTraffic("2026-11", 100, 200, 0)
    box.uplinks = [evolve(box.uplinks[0], traffic=traffic, delivered=7, rejected=1, waiting=None)]
    found = read(box)
    assert found["ccmaster_uplink_month_bytes", "direction=sent", "uplink=mqtt"] == 200
    assert found["ccmaster_uplink_delivered_records_total", "uplink=mqtt"] == 7
    assert found["ccmaster_uplink_rejected_records_total", "uplink=mqtt"] == 1
    assert ("ccmaster_uplink_waiting_records", "uplink=mqtt") not in found


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "ñ{}", "a b,c=d"])
def test_a_name_can_have_any_letters(box, name):
    box.uplinks = [UplinkState(name, "mqtt", "mqtt://x", True)]
    assert read(box)["ccmaster_uplink_up", f"uplink={name}"] == 1


def test_a_box_without_anything_has_figures_of_itself(box):
    box.devices, box.lines, box.uplinks = [], [], []
    assert read(box)["ccmaster_clock_trusted",] == 1
    assert exposition(box.sources, Figures()).endswith(b"# EOF\n")


def test_every_service_has_its_figures(box):
    services = {"smartgen": [CLOUD], "sms": [MODEM], "modbus_slave": [PORT]}
    found = read(box, evolve(FIGURES, services=services))
    assert found["ccmaster_smartgen_online", "session=first"] == 1
    assert found["ccmaster_smartgen_uploads_total", "session=first"] == 1180
    assert found["ccmaster_smartgen_refused_total", "session=first"] == 1
    assert found["ccmaster_sms_ready", "modem=modem"] == 1
    assert found["ccmaster_sms_refused_total", "modem=modem"] == 1
    assert found["ccmaster_slave_open", "port=scada"] == 1
    assert found["ccmaster_slave_requests_total", "port=scada", "what=read"] == 48_211
    assert found["ccmaster_slave_refused_total", "code=2", "port=scada"] == 5
