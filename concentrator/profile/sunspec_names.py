"""What the values of SunSpec models are called here: the names that models give their points, and our canonical ones.
Pure tables. A value that is in none of them is not read.

Source of what each point means: the model definitions in pysunspec2 (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Mapping

from concentrator.model.profile import Rate
from concentrator.model.quantities import QUANTITIES
from concentrator.model.quantity import Kind, Quantity

COMMON = 1
"""The model that tells who made a device and which one it is."""
METERS = (201, 202, 203, 204, 211, 212, 213, 214)

_WHO = {"Mn": "manufacturer", "Md": "model", "Opt": "options", "Vr": "firmware", "SN": "serial"}

_INVERTER = {
    **{"A": "i_sum", "AphA": "i1", "AphB": "i2", "AphC": "i3"},
    **{"PPVphAB": "v12", "PPVphBC": "v23", "PPVphCA": "v31", "PhVphA": "v1", "PhVphB": "v2", "PhVphC": "v3"},
    **{"W": "p", "Hz": "f", "VA": "s", "VAr": "q", "PF": "pf", "WH": "e_total"},
    **{"DCA": "dc_i", "DCV": "dc_v", "DCW": "dc_p"},
    **{"TmpCab": "temp", "TmpSnk": "temp_heatsink", "TmpTrns": "temp_transformer", "TmpOt": "temp_other"},
    **{"St": "status", "StVnd": "status_vendor", "Evt1": "alarm"},
    **{"EvtVnd1": "alarm_vendor1", "EvtVnd2": "alarm_vendor2"},
}

_PHASES = {"A": "1", "B": "2", "C": "3"}
_METER = {
    **{"A": "i_sum", "PhV": "v_ln_avg", "PPV": "v_ll_avg", "Hz": "f", "W": "p", "VA": "s", "VAR": "q", "PF": "pf"},
    **{f"Aph{phase}": f"i{n}" for phase, n in _PHASES.items()},
    **{f"PhVph{phase}": f"v{n}" for phase, n in _PHASES.items()},
    **{f"Wph{phase}": f"p{n}" for phase, n in _PHASES.items()},
    **{f"VAph{phase}": f"s{n}" for phase, n in _PHASES.items()},
    **{f"VARph{phase}": f"q{n}" for phase, n in _PHASES.items()},
    **{f"PFph{phase}": f"pf{n}" for phase, n in _PHASES.items()},
    # Models of whole numbers say PhVphAB or PPVphAB, those of floating point numbers the latter.
    **{"PhVphAB": "v12", "PhVphBC": "v23", "PhVphCA": "v31", "PPVphAB": "v12", "PPVphBC": "v23", "PPVphCA": "v31"},
    **{"TotWhExp": "ea_exp", "TotWhImp": "ea_imp"},
    **{f"TotWhExpPh{phase}": f"ea_exp{n}" for phase, n in _PHASES.items()},
    **{f"TotWhImpPh{phase}": f"ea_imp{n}" for phase, n in _PHASES.items()},
    **{"TotVArhImpQ1": "er_q1", "TotVArhImpQ2": "er_q2", "TotVArhExpQ3": "er_q3", "TotVArhExpQ4": "er_q4"},
    "Evt": "alarm",
}

_INVERTER_701 = {
    **{"W": "p", "VA": "s", "Var": "q", "PF": "pf", "A": "i_sum", "Hz": "f", "LLV": "v_ll_avg", "LNV": "v_ln_avg"},
    **{"TotWhInj": "e_total", "TotWhAbs": "ac_e_imp", "InvSt": "status", "Alrm": "alarm"},
    **{"TmpCab": "temp", "TmpSnk": "temp_heatsink", "TmpTrns": "temp_transformer", "TmpOt": "temp_other"},
    **{f"WL{n}": f"p{n}" for n in "123"},
    **{f"VAL{n}": f"s{n}" for n in "123"},
    **{f"VarL{n}": f"q{n}" for n in "123"},
    **{f"PFL{n}": f"pf{n}" for n in "123"},
    **{f"AL{n}": f"i{n}" for n in "123"},
    **{f"VL{n}": f"v{n}" for n in "123"},
    **{"VL1L2": "v12", "VL2L3": "v23", "VL3L1": "v31"},
}

_INPUTS = {"DCA": "dc_i{n}", "DCV": "dc_v{n}", "DCW": "dc_p{n}", "Tmp": "dc_temp{n}"}

NAMES: Mapping[int, Mapping[str, str]] = {
    COMMON: _WHO,
    **dict.fromkeys((101, 102, 103, 111, 112, 113), _INVERTER),
    701: _INVERTER_701,
    **dict.fromkeys(METERS, _METER),
    123: {"WMaxLimPct": "p_limit", "WMaxLim_Ena": "p_limit_on"},
    124: {"ChaState": "soc", "InBatV": "bat_v", "ChaSt": "bat_status"},
    160: {**_INPUTS, "DCWH": "dc_e{n}", "DCSt": "dc_status{n}"},
    713: {"SoC": "soc", "SoH": "soh", "WHAvail": "bat_available", "WHRtg": "bat_rated_energy", "Sta": "bat_status"},
    714: {**_INPUTS, "DCWhInj": "dc_e{n}", "DCSta": "dc_status{n}"},
    802: {
        **{"SoC": "soc", "SoH": "soh", "V": "bat_v", "A": "bat_i", "W": "bat_p", "ChaSt": "bat_status"},
        **{"NCyc": "bat_cycles", "WHRtg": "bat_rated_energy"},
    },
}
"""The values that are read, by the number of their model; `{n}` is the number of the input, from 1 on. Those of the
whole are in none of the inputs' models, where they would have the inputs' names."""

CONTROLS: Mapping[str, Quantity] = {
    "p_limit": Quantity("p_limit", "%", Kind.STATE, "limit of active power, share of nominal"),
    "p_limit_on": Quantity("p_limit_on", "", Kind.STATE, "limit of active power in force"),
}
"""What can be written, where a profile names the model and the configuration allows it."""
SPANS: Mapping[str, tuple[float, float]] = {"p_limit": (0, 100), "p_limit_on": (0, 1)}
"""What these may be told, though their registers could hold more."""

_WORDS = {"manufacturer": "manufacturer", "options": "options"}

RATES: Mapping[int, Rate] = {COMMON: Rate.NORMAL, 123: Rate.SLOW, 124: Rate.NORMAL, 713: Rate.NORMAL}
"""How often a model is read, where that is not at the device's own interval."""

UNITS: Mapping[str, str] = {
    **{"C": "°C", "Pct": "%", "PF": "", "WH": "Wh", "Var": "var", "Varh": "varh"},
    **{"%WHRtg": "%", "% AhrRtg": "%", "% WMax": "%"},
}
"""Units as the definitions write them, where that is not as a profile file would."""

EXPORT_POSITIVE = ("SolarEdge",)
"""Makers whose meters count power into the grid as positive: the definitions leave that open. The others' count import.
Source: the doubts of the register facts; nmakel/solaredge_modbus."""
POWERS = ("p", "p1", "p2", "p3")
"""What is turned there. The energies have their directions in their names."""


def quantity_of(name: str) -> Quantity | None:
    """The quantity of a name in these tables; None where the canonical ones go no further (a 25th input)."""
    if name in _WORDS:
        return Quantity(name, "", Kind.TEXT, _WORDS[name])
    return CONTROLS.get(name) or QUANTITIES.get(name)
