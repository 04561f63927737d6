"""The table of the canonical variables: names, units, kinds and labels, written as families. Everything that shows,
stores or sends a value takes its unit and label from here; a variable that is not in this table brings its own from
its device's profile. Hides how families (phases, tariffs, inputs) are written down.

A row is (name, unit, kind, label). In both name and label, `{L}` stands for nothing or a phase 1 to 3, `{l}` for a
phase, `{ll}` for a pair of phases, `{T}` for nothing or a tariff 1 to 8, `{n}` for nothing or a number 1 to 24,
`{h}` for nothing or one of the periods day, month and year, which also makes a counter one that falls to zero.
Signs: p > 0 is taken from the grid, for a producer p > 0 is generated; bat_p > 0 is discharge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from types import MappingProxyType

from concentrator.model.quantity import Kind, Quantity, unit_digits

_NOW, _COUNTER, _STATE, _TEXT = Kind.INSTANTANEOUS, Kind.COUNTER, Kind.STATE, Kind.TEXT

_ROWS = (
    # the mains, as an analyser sees them
    ("v{l}", "V", _NOW, "voltage{l}"),
    ("v{ll}", "V", _NOW, "voltage{ll}"),
    ("v", "V", _NOW, "voltage"),
    ("v_ln_avg", "V", _NOW, "voltage, mean of the phases"),
    ("v_ll_avg", "V", _NOW, "voltage between phases, mean"),
    ("i", "A", _NOW, "current"),
    ("i{l}", "A", _NOW, "current{l}"),
    ("in", "A", _NOW, "current of the neutral"),
    ("i_sum", "A", _NOW, "current, sum of the phases"),
    ("i_avg", "A", _NOW, "current, mean of the phases"),
    ("i_earth", "A", _NOW, "current to earth"),
    ("p{L}", "W", _NOW, "active power{L}"),
    ("p_imp{L}", "W", _NOW, "active power imported{L}"),
    ("p_exp{L}", "W", _NOW, "active power exported{L}"),
    ("p_max", "W", _NOW, "active power, greatest possible"),
    ("p_dmd", "W", _NOW, "power demand"),
    ("p_dmd_max", "W", _NOW, "power demand, greatest"),
    ("p_peak_day", "W", _NOW, "active power, peak of the day"),
    ("p_percent", "%", _NOW, "active power, share of nominal"),
    ("p_op", "W", _NOW, "operating power"),
    ("power_status", "", _STATE, "direction of the powers"),
    ("q{L}", "var", _NOW, "reactive power{L}"),
    ("q_imp{L}", "var", _NOW, "reactive power imported{L}"),
    ("q_exp{L}", "var", _NOW, "reactive power exported{L}"),
    ("q_ind{L}", "var", _NOW, "inductive power{L}"),
    ("q_cap{L}", "var", _NOW, "capacitive power{L}"),
    ("s{L}", "VA", _NOW, "apparent power{L}"),
    ("pf{L}", "", _NOW, "power factor{L}"),
    ("cosphi{L}", "", _NOW, "cos phi{L}"),
    ("f", "Hz", _NOW, "frequency"),
    ("thd_v{L}", "%", _NOW, "distortion of voltage{L}"),
    ("thd_v{ll}", "%", _NOW, "distortion of voltage{ll}"),
    ("thd_i{L}", "%", _NOW, "distortion of current{L}"),
    ("phase_angle", "°", _NOW, "phase angle"),
    ("phase_angle_{l}", "°", _NOW, "phase angle{l}"),
    ("phase_seq", "", _STATE, "phase sequence"),
    # energies
    ("ea_imp{L}{T}", "kWh", _COUNTER, "active energy imported{L}{T}"),
    ("ea_exp{L}{T}", "kWh", _COUNTER, "active energy exported{L}{T}"),
    ("ea_total{L}{T}", "kWh", _COUNTER, "active energy{L}{T}"),
    # the difference of two counters: it may fall
    ("ea_net{L}", "kWh", _STATE, "active energy, imported less exported{L}"),
    ("er_imp{L}{T}", "kvarh", _COUNTER, "reactive energy imported{L}{T}"),
    ("er_exp{L}{T}", "kvarh", _COUNTER, "reactive energy exported{L}{T}"),
    ("er_total{L}{T}", "kvarh", _COUNTER, "reactive energy{L}{T}"),
    ("er_ind", "kvarh", _COUNTER, "inductive energy"),
    ("er_cap", "kvarh", _COUNTER, "capacitive energy"),
    ("er_q1{T}", "kvarh", _COUNTER, "reactive energy, quadrant 1{T}"),
    ("er_q2{T}", "kvarh", _COUNTER, "reactive energy, quadrant 2{T}"),
    ("er_q3{T}", "kvarh", _COUNTER, "reactive energy, quadrant 3{T}"),
    ("er_q4{T}", "kvarh", _COUNTER, "reactive energy, quadrant 4{T}"),
    ("es{T}", "kVAh", _COUNTER, "apparent energy{T}"),
    ("e_total{L}", "kWh", _COUNTER, "energy generated{L}"),
    ("e{h}", "kWh", _COUNTER, "energy generated{h}"),
    ("h_total", "h", _COUNTER, "hours of operation"),
    # direct current: strings of a generator
    ("dc_v{n}", "V", _NOW, "DC voltage{n}"),
    ("dc_i{n}", "A", _NOW, "DC current{n}"),
    ("dc_p{n}", "W", _NOW, "DC power{n}"),
    ("dc_e{n}", "kWh", _COUNTER, "DC energy{n}"),
    ("dc_e_total", "kWh", _COUNTER, "DC energy, all inputs"),
    ("dc_temp{n}", "°C", _NOW, "temperature of the DC input{n}"),
    ("dc_status{n}", "", _STATE, "status of the DC input{n}"),
    ("dc_bus_v", "V", _NOW, "voltage of the DC bus"),
    ("pv_p", "W", _NOW, "power of all solar inputs"),
    ("pv_out_p{L}", "W", _NOW, "solar power on the output side{L}"),
    ("pv_in_p{L}", "W", _NOW, "solar power on the grid side{L}"),
    # an inverter's own ends: its bridge, its grid port, the meter in it and the one beside it, the plant it leads
    ("inv_v{L}", "V", _NOW, "voltage of the bridge{L}"),
    ("inv_i{L}", "A", _NOW, "current of the bridge{L}"),
    ("ac_p{L}", "W", _NOW, "power at the grid port{L}"),
    ("ac_e_exp", "kWh", _COUNTER, "energy out of the grid port"),
    ("ac_e_exp{h}", "kWh", _COUNTER, "energy out of the grid port{h}"),
    ("ac_e_imp", "kWh", _COUNTER, "energy into the grid port"),
    ("ac_e_imp{h}", "kWh", _COUNTER, "energy into the grid port{h}"),
    ("int_v{L}", "V", _NOW, "voltage at the internal meter{L}"),
    ("int_i{L}", "A", _NOW, "current at the internal meter{L}"),
    ("int_p{L}", "W", _NOW, "power at the internal meter{L}"),
    ("int_q{L}", "var", _NOW, "reactive power at the internal meter{L}"),
    ("int_f", "Hz", _NOW, "frequency at the internal meter"),
    ("int_pf", "", _NOW, "power factor at the internal meter"),
    ("meter_p{L}", "W", _NOW, "power at the attached meter{L}"),
    ("meter_ea_imp", "kWh", _COUNTER, "energy imported at the attached meter"),
    ("meter_ea_exp", "kWh", _COUNTER, "energy exported at the attached meter"),
    ("meter_status", "", _STATE, "status of the attached meter"),
    ("site_p", "W", _NOW, "power of all inverters"),
    ("site_e_total", "kWh", _COUNTER, "energy of all inverters"),
    ("site_e{h}", "kWh", _COUNTER, "energy of all inverters{h}"),
    # the mains, as an inverter sees them, and what hangs on it
    ("grid_v{l}", "V", _NOW, "grid voltage{l}"),
    ("grid_i{l}", "A", _NOW, "grid current{l}"),
    ("grid_p{L}", "W", _NOW, "grid power{L}"),
    ("grid_p_imp", "W", _NOW, "grid power imported"),
    ("grid_p_exp", "W", _NOW, "grid power exported"),
    ("grid_q{L}", "var", _NOW, "grid reactive power{L}"),
    ("grid_f", "Hz", _NOW, "grid frequency"),
    ("grid_pf", "", _NOW, "grid power factor"),
    ("grid_er", "kvarh", _COUNTER, "reactive energy of the grid"),
    ("grid_mode", "", _STATE, "how it is connected to the grid"),
    ("grid_connected", "", _STATE, "connected to the grid"),
    ("grid_relay", "", _STATE, "grid relay"),
    ("ac_source", "", _STATE, "source of alternating current"),
    ("grid_ea_imp", "kWh", _COUNTER, "energy from the grid"),
    ("grid_ea_imp{h}", "kWh", _COUNTER, "energy from the grid{h}"),
    ("grid_ea_exp", "kWh", _COUNTER, "energy to the grid"),
    ("grid_ea_exp{h}", "kWh", _COUNTER, "energy to the grid{h}"),
    ("load_p{L}", "W", _NOW, "consumption{L}"),
    ("load_p_pv", "W", _NOW, "consumption met by the sun"),
    ("load_p_bat", "W", _NOW, "consumption met by the battery"),
    ("load_p_grid", "W", _NOW, "consumption met by the grid"),
    ("load_e", "kWh", _COUNTER, "energy consumed"),
    ("load_e{h}", "kWh", _COUNTER, "energy consumed{h}"),
    ("backup_v{L}", "V", _NOW, "backup voltage{L}"),
    ("backup_i{L}", "A", _NOW, "backup current{L}"),
    ("backup_f", "Hz", _NOW, "backup frequency"),
    ("backup_p{L}", "W", _NOW, "backup power{L}"),
    ("backup_q{L}", "var", _NOW, "backup reactive power{L}"),
    ("ct_p{L}", "W", _NOW, "power at the external clamp{L}"),
    # battery of a plant
    ("bat_v", "V", _NOW, "battery voltage"),
    ("bat_i", "A", _NOW, "battery current"),
    ("bat_i_dc", "A", _NOW, "battery current on its DC side"),
    ("bat_p", "W", _NOW, "battery power"),
    ("bat2_p", "W", _NOW, "battery power, second battery"),
    ("bat_status", "", _STATE, "status of the battery"),
    ("bat_dir", "", _STATE, "direction of the battery"),
    ("bat_p_chg", "W", _NOW, "battery charging power"),
    ("bat_p_dis", "W", _NOW, "battery discharging power"),
    ("bat_p_max_chg", "W", _NOW, "battery charging power, greatest allowed"),
    ("bat_p_max_dis", "W", _NOW, "battery discharging power, greatest allowed"),
    ("bat_e_chg", "kWh", _COUNTER, "energy into the battery"),
    ("bat_e_chg{h}", "kWh", _COUNTER, "energy into the battery{h}"),
    ("bat_e_dis", "kWh", _COUNTER, "energy from the battery"),
    ("bat_e_dis{h}", "kWh", _COUNTER, "energy from the battery{h}"),
    ("bat_available", "kWh", _NOW, "battery energy available"),
    ("bat_capacity", "kWh", _STATE, "battery capacity"),
    ("bat_rated_energy", "kWh", _STATE, "battery rated energy"),
    ("bat_cycles", "", _COUNTER, "battery cycles"),
    ("bat_temp", "°C", _NOW, "battery temperature"),
    ("soc", "%", _NOW, "state of charge"),
    ("soc2", "%", _NOW, "state of charge, second battery"),
    ("soh", "%", _NOW, "state of health"),
    # the device itself
    ("temp", "°C", _NOW, "temperature"),
    ("temp_heatsink", "°C", _NOW, "temperature of the heat sink"),
    ("temp_transformer", "°C", _NOW, "temperature of the transformer"),
    ("temp_ipm", "°C", _NOW, "temperature of the power module"),
    ("temp_boost", "°C", _NOW, "temperature of the booster"),
    ("temp_other", "°C", _NOW, "other temperature"),
    ("r_iso", "kΩ", _NOW, "insulation resistance"),
    ("efficiency", "%", _NOW, "efficiency"),
    ("status", "", _STATE, "status"),
    ("status_vendor", "", _STATE, "status, the maker's code"),
    ("status_bits", "", _STATE, "status, bits"),
    ("running_bits", "", _STATE, "what is running, bits"),
    ("state_code", "", _STATE, "state, the maker's code"),
    ("stop_code", "", _STATE, "why it stopped, the maker's code"),
    ("position", "", _STATE, "where it is connected"),
    ("alarm", "", _STATE, "alarm"),
    ("alarm_vendor{n}", "", _STATE, "alarm, the maker's bits{n}"),
    ("warning", "", _STATE, "warning"),
    ("fault", "", _STATE, "fault"),
    ("serial", "", _TEXT, "serial number"),
    ("model", "", _TEXT, "model"),
    ("firmware", "", _TEXT, "firmware version"),
    ("hardware", "", _TEXT, "hardware version"),
    # generating sets
    ("gen_v{l}", "V", _NOW, "generator voltage{l}"),
    ("gen_v{ll}", "V", _NOW, "generator voltage{ll}"),
    ("gen_p{L}", "W", _NOW, "generator power{L}"),
    ("gen_frequency", "Hz", _NOW, "generator frequency"),
    ("mains_v{l}", "V", _NOW, "mains voltage{l}"),
    ("mains_v{ll}", "V", _NOW, "mains voltage{ll}"),
    ("mains_frequency", "Hz", _NOW, "mains frequency"),
    ("bus_v{L}", "V", _NOW, "busbar voltage{L}"),
    ("bus_v{ll}", "V", _NOW, "busbar voltage{ll}"),
    ("bus_frequency", "Hz", _NOW, "busbar frequency"),
    ("bus_p", "W", _NOW, "busbar power"),
    ("bus_q", "var", _NOW, "busbar reactive power"),
    ("load", "%", _NOW, "load, share of nominal"),
    ("speed", "rpm", _NOW, "engine speed"),
    ("coolant_temp", "°C", _NOW, "coolant temperature"),
    ("coolant_level", "%", _NOW, "coolant level"),
    ("oil_pressure", "kPa", _NOW, "oil pressure"),
    ("oil_temp", "°C", _NOW, "oil temperature"),
    ("fuel_level", "%", _NOW, "fuel level"),
    ("fuel_pressure", "kPa", _NOW, "fuel pressure"),
    ("fuel_consumption", "L/h", _NOW, "fuel consumption"),
    ("fuel_total", "L", _COUNTER, "fuel used"),
    ("battery_voltage", "V", _NOW, "starter battery voltage"),
    ("charger_voltage", "V", _NOW, "charger (D+) voltage"),
    ("controller_temp", "°C", _NOW, "controller temperature"),
    ("energy", "kWh", _COUNTER, "generator energy"),
    ("energy_export", "kWh", _COUNTER, "generator energy exported"),
    ("apparent_energy", "kVAh", _COUNTER, "generator apparent energy"),
    ("reactive_energy", "kvarh", _COUNTER, "generator reactive energy"),
    ("starts", "", _COUNTER, "starts"),
    ("run_hours", "h", _COUNTER, "running time, hours"),
    ("run_minutes", "min", _STATE, "running time, minutes"),
    ("run_seconds", "s", _STATE, "running time, seconds"),
    ("maintenance_hours", "h", _STATE, "hours to maintenance"),
    ("maintenance_minutes", "min", _STATE, "minutes to maintenance"),
    ("engine_state", "", _STATE, "engine state"),
    ("control_mode", "", _STATE, "control mode"),
    ("mode", "", _STATE, "mode"),
)

_PHASES = tuple((str(n), f" L{n}") for n in (1, 2, 3))
_NONE = (("", ""),)

_FAMILIES: Mapping[str, Sequence[tuple[str, str]]] = {
    "{L}": (*_NONE, *_PHASES),
    "{l}": _PHASES,
    "{ll}": (("12", " L1-L2"), ("23", " L2-L3"), ("31", " L3-L1")),
    "{T}": (*_NONE, *((f"_t{n}", f", tariff {n}") for n in range(1, 9))),
    "{n}": (*_NONE, *((str(n), f" {n}") for n in range(1, 25))),
    "{h}": (("_day", " today"), ("_month", " this month"), ("_year", " this year")),
}


def _expanded(name: str, unit: str, kind: Kind, label: str) -> Iterator[Quantity]:
    marks = re.findall(r"\{\w+\}", name)
    if "{h}" in marks:
        kind = Kind.PERIOD_COUNTER
    digits = 0 if kind is Kind.TEXT else unit_digits(unit)
    for members in product(*(_FAMILIES[mark] for mark in marks)):
        full_name, full_label = name, label
        for mark, (in_name, in_label) in zip(marks, members, strict=True):
            full_name, full_label = full_name.replace(mark, in_name), full_label.replace(mark, in_label)
        yield Quantity(full_name, unit, kind, full_label, digits)


QUANTITIES: Mapping[str, Quantity] = MappingProxyType({q.name: q for row in _ROWS for q in _expanded(*row)})
"""Every canonical variable by name. `digits` are those of a value that has no steps of its own."""
