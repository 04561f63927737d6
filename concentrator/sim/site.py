"""What a device would show of the place it is mounted at: every measured variable by its canonical name and in the unit
of its quantity, at any moment. An analyser sees a shop's consumption, an inverter a plant with a roof full of panels.
Signs are the house's: an analyser's power is positive from the grid, an inverter's when it is given out, the grid's
when it is taken, the battery's when it is discharged. Hides which variables are the same thing under other names."""

from __future__ import annotations

from math import hypot
from typing import Protocol

from attrs import define, field

from concentrator.sim.curve import Supply
from concentrator.sim.electric import Flowing, phases_of, shown
from concentrator.sim.plant import BATTERY_KWH, COMMISSIONED, Flow, Plant, midnight, month_began, year_began
from concentrator.sim.premises import supplies

_TARIFFS = {"_t1": 0.65, "_t2": 0.35}
_EFFICIENCY = 0.972
_TAN_PHI = 0.03
_BACKED_UP = 0.2  # the share of the consumption behind the backup output
_STRING_V, _BATTERY_V = 380.0, 51.2
_STANDBY_W = 3.0  # what keeps an inverter's electronics awake does not come from the sun


class Site(Protocol):
    """A place. `at` is UTC seconds."""

    def values(self, at: float) -> dict[str, float]:
        """Its variables, and more than any one device has."""


@define(eq=False)
class Shop:
    """A shop with 1 or 3 `phases`, which takes and never gives; its counters began when it was opened."""

    seed: str
    phases: int = 3
    _supplies: tuple[Supply, ...] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._supplies = supplies("shop", self.seed, self.phases)

    def values(self, at: float) -> dict[str, float]:
        """What is taken over the second before, and since the beginning."""
        now, then = max(at, COMMISSIONED), COMMISSIONED
        seen = [supply.seen(now) for supply in self._supplies]
        begun = [supply.seen(then) for supply in self._supplies]
        quarter = [supply.seen(now - 900) for supply in self._supplies]
        active = [(one.energy_wh - other.energy_wh) / 1000 for one, other in zip(seen, begun, strict=True)]
        reactive = [(one.reactive_varh - other.reactive_varh) / 1000 for one, other in zip(seen, begun, strict=True)]
        demand = sum((one.energy_wh - other.energy_wh) * 4 for one, other in zip(seen, quarter, strict=True))
        greatest = sum(
            max(map(sum, zip(*(load.quarters_w for load in one.loads), strict=True))) for one in self._supplies
        )
        values = shown([Flowing(phase.v, phase.p, phase.q) for phase in seen], now)
        for number, (ea, er) in enumerate(zip(active, reactive, strict=True), 1):
            values |= _counters(str(number), ea, er)
        total, reactive_total = sum(active), sum(reactive)
        return {
            **values,
            **_counters("", total, reactive_total),
            "er_ind": reactive_total,
            "er_cap": 0.0,
            **{f"er_q{n}": reactive_total if n == 1 else 0.0 for n in (1, 2, 3, 4)},
            "es": hypot(total, reactive_total),
            "p_dmd": float(demand),
            "p_dmd_max": 1.5 * greatest,
        }


def _counters(number: str, ea: float, er: float) -> dict[str, float]:
    """Energies taken, in kWh and kvarh, as all the counters of a phase or of all of them."""
    whole = {"ea_imp": ea, "ea_exp": 0.0, "ea_total": ea, "ea_net": ea, "er_imp": er, "er_exp": 0.0, "er_total": er}
    return {
        f"{name}{number}{tariff}": value * share
        for name, value in whole.items()
        for tariff, share in {"": 1.0, **_TARIFFS}.items()
    }


@define(eq=False)
class SolarRoof:
    """A roof with panels on so many `strings`, an inverter of 1 or 3 `phases`, a battery where it has one."""

    seed: str
    phases: int = 3
    strings: int = 2
    has_battery: bool = True
    plant: Plant = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.plant = Plant(self.seed, self.has_battery)

    def values(self, at: float) -> dict[str, float]:
        """What flows over the second before, and has flowed since the plant was put up."""
        w = {flow: self.plant.power_w(flow, at) for flow in Flow}
        p = w[Flow.SUN] - w[Flow.CHARGE] + w[Flow.DISCHARGE]
        grid_p = w[Flow.IMPORT] - w[Flow.EXPORT]
        load_p = p + grid_p
        values = {
            **self._direct_current(w[Flow.SUN], at),
            **self._battery(w, at),
            **self._energies(at),
            "p_op": p,
            "p_max": self.plant.greatest_w(Flow.SUN),
            "p_peak_day": self.plant.greatest_w(Flow.SUN) if _is_past_noon(at) else w[Flow.SUN],
            "p_percent": 100 * p / self.plant.greatest_w(Flow.SUN),
            "pv_p": w[Flow.SUN] / _EFFICIENCY,
            "site_p": p,
            "load_p_pv": load_p - w[Flow.DISCHARGE] - w[Flow.IMPORT],
            "load_p_bat": w[Flow.DISCHARGE],
            "load_p_grid": w[Flow.IMPORT],
            "efficiency": 100 * _EFFICIENCY if w[Flow.SUN] else 0.0,
            "temp": 27.0 + w[Flow.SUN] / 300,
            "h_total": (at - COMMISSIONED) / 3600 / 2,
        }
        for place in ("temp_heatsink", "temp_transformer", "temp_ipm", "temp_boost", "temp_other"):
            values[place] = values["temp"] + 4.0
        own = phases_of(p, _TAN_PHI, self.phases, at)
        for prefix in ("", "inv_", "int_", "ac_"):
            values |= shown(own, at, prefix)
        for prefix in ("grid_", "meter_", "ct_"):
            values |= shown(phases_of(grid_p, _TAN_PHI, self.phases, at), at, prefix)
        values |= shown(phases_of(load_p, _TAN_PHI, self.phases, at), at, "load_")
        values |= shown(phases_of(load_p * _BACKED_UP, _TAN_PHI, self.phases, at), at, "backup_")
        values |= shown(phases_of(p, _TAN_PHI, self.phases, at), at, "pv_out_")
        return values | shown(phases_of(0.0, 0.0, self.phases, at), at, "pv_in_")

    def _direct_current(self, sun_w: float, at: float) -> dict[str, float]:
        """The strings, which share the sun evenly; in the dark there is no voltage on them."""
        total, energy = sun_w / _EFFICIENCY, self.plant.energy_kwh(Flow.SUN, at) / _EFFICIENCY
        share = total / self.strings
        v = _STRING_V + share / 100 if total else 0.0
        i = share / v if v else 0.0
        values = {
            "dc_v": v,
            "dc_i": i * self.strings,
            "dc_p": total,
            "dc_e": energy,
            "dc_e_total": energy,
            "dc_bus_v": v,
            "dc_temp": 25.0 + total / 400,
        }
        each = {"v": v, "i": i, "p": share, "e": energy / self.strings, "temp": 25.0 + total / 400}
        return values | {f"dc_{n}{k}": x for k in range(1, self.strings + 1) for n, x in each.items()}

    def _battery(self, w: dict[Flow, float], at: float) -> dict[str, float]:
        p = w[Flow.DISCHARGE] - w[Flow.CHARGE]
        soc, capacity = self.plant.soc_percent(at), BATTERY_KWH * self.plant.size
        v = _BATTERY_V + (soc - 50) / 20
        return {
            "bat_p": p,
            "bat2_p": 0.0,
            "bat_p_chg": w[Flow.CHARGE],
            "bat_p_dis": w[Flow.DISCHARGE],
            "bat_p_max_chg": 2 * self.plant.greatest_w(Flow.CHARGE),
            "bat_p_max_dis": 2 * self.plant.greatest_w(Flow.DISCHARGE),
            "bat_v": v,
            "bat_i": p / v,
            "bat_i_dc": p / v,
            "bat_temp": 24.0 + abs(p) / 400,
            "bat_capacity": capacity,
            "bat_rated_energy": capacity,
            "bat_available": capacity * soc / 100,
            "bat_cycles": self.plant.energy_kwh(Flow.CHARGE, at) // capacity,
            "soc": soc,
            "soc2": soc,
            "soh": 98.0,
        }

    def _energies(self, at: float) -> dict[str, float]:
        """The counters, in kWh (and kvarh), and those that begin anew with a day, a month or a year."""
        values: dict[str, float] = {}
        periods = {"": COMMISSIONED, "_day": midnight(at), "_month": month_began(at), "_year": year_began(at)}
        for period, since in periods.items():
            e = {flow: self.plant.energy_kwh(flow, at, since) for flow in Flow}
            own = e[Flow.SUN] - e[Flow.CHARGE] + e[Flow.DISCHARGE]
            total = "e_total" if not period else f"e{period}"
            values |= {
                total: own,
                f"site_{total}": own,
                f"ac_e_exp{period}": own,
                f"ac_e_imp{period}": _STANDBY_W / 1000 * (at - max(since, COMMISSIONED)) / 3600,
                f"grid_ea_imp{period}": e[Flow.IMPORT],
                f"grid_ea_exp{period}": e[Flow.EXPORT],
                f"load_e{period}": own + e[Flow.IMPORT] - e[Flow.EXPORT],
                f"bat_e_chg{period}": e[Flow.CHARGE],
                f"bat_e_dis{period}": e[Flow.DISCHARGE],
            }
        values |= {f"e_total{n}": values["e_total"] / self.phases for n in range(1, self.phases + 1)}
        return values | {
            "meter_ea_imp": values["grid_ea_imp"],
            "meter_ea_exp": values["grid_ea_exp"],
            "ea_exp": values["e_total"],
            "ea_imp": values["ac_e_imp"],
            "er_total": values["e_total"] * _TAN_PHI,
            "grid_er": values["grid_ea_imp"] * _TAN_PHI,
            "es": values["e_total"] * hypot(1.0, _TAN_PHI),
        }


def _is_past_noon(at: float) -> bool:
    return at - midnight(at) > 12.5 * 3600
