"""A trial of a way out as a page shows it: its stages in words, and one sentence on how it ended. Hides that a trial is
a task, and waiting for it on behalf of visitors without a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from attrs import frozen
from twisted.internet.task import deferLater

from concentrator.actions.trials import MQTT
from concentrator.portal.house import House
from concentrator.portal.numbers import count
from concentrator.web.route import Visit

LOOK_S = 0.2
_RUNNING = "running"


@frozen
class Step:
    """A stage: its name in words, how it stands (waiting, running, passed, failed), and how long it took."""

    name: str
    state: str
    took: str


@frozen
class TrialView:
    """A trial for people: its task's id, whether it goes on, its stages, the sentence it ended with (empty while it
    goes on), and whether it passed."""

    id: str
    is_running: bool
    steps: tuple[Step, ...]
    verdict: str
    has_passed: bool


async def trial_view(house: House, visit: Visit, task: str, *, at_its_end: bool) -> TrialView:
    """The trial of a task, now or when it is over. Raises Unknown where there is none."""
    told = await _task(house, visit, task)
    while at_its_end and told["state"] == _RUNNING:
        await deferLater(house.clock, LOOK_S)
        told = await _task(house, visit, task)
    say, is_running = house.say(visit), told["state"] == _RUNNING
    result = cast(Mapping[str, Any], told["result"] or {"stages": [], "passed": None})
    table = "mqtt" if str(told["name"]).startswith(MQTT) else "ftp"
    steps = tuple(
        Step(
            say(f"stage.{each['name']}"),
            each["state"],
            "" if each["ms"] is None else say("trial.ms", ms=count(max(1, each["ms"]))),
        )
        for each in result["stages"]
    )
    verdict = "" if is_running else _verdict(house, visit, table, told, result)
    return TrialView(task, is_running, steps, verdict, bool(result["passed"]))


async def _task(house: House, visit: Visit, task: str) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], await house.ask(visit, "task.get", id=task))


def _verdict(house: House, visit: Visit, table: str, told: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    say = house.say(visit)
    if told["state"] == "cancelled":
        return say("trial.cancelled")
    if told["state"] != "done":
        return say("trial.broke", why=(told["error"] or {}).get("message", ""))
    facts = {"said": result["said"], **result["facts"]}
    if result["passed"]:
        return say(f"{table}.ok", **facts)
    stage = next((each["name"] for each in result["stages"] if each["state"] == "failed"), "")
    # The nearest words there are: of this way out at this stage, of it, of any, and at last what was met.
    reason = result["reason"]
    for key in (f"{table}.{reason}_{stage}", f"{table}.{reason}", f"trial.{reason}_{stage}", f"trial.{reason}"):
        try:
            return say(key, **facts)
        except KeyError:
            continue
    return say("trial.other", stage=say(f"stage.{stage}"), **facts)
