"""Link mode as somebody with a shell follows it, standing before the cabinet: each meter as it gets its ID, and what is
wrong. Hides that the box is asked again and again, and that whoever leaves takes the box out of link mode."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

LOOK_S = 0.5

Status = Mapping[str, Any]
"""What `link.status` gives."""
Do = Callable[[str], Status]
"""`do(action)`: has the box carry it out for the line in question."""


def status_lines(status: Status) -> Iterator[str]:
    """How link mode stands."""
    state = f"link mode is on, {status['state']}" if status["is_on"] else "link mode is off"
    left = f"; it ends by itself in {status['seconds_left'] / 60:.0f} min" if status["is_on"] else ""
    yield f"{status['line']}: {state}{left}"
    yield from (_linked(each) for each in status["found"])
    if status["text"]:
        yield f"  {status['text']}"


def follow(
    status: Status, do: Do, say: Callable[[str], None], wait: Callable[[], None] = lambda: time.sleep(LOOK_S)
) -> None:
    """Tells what happens from a status on until link mode is over, by itself or by Ctrl-C."""
    say(f"{status['line']}: link mode is on; press the meters' buttons one after another, Ctrl-C when all are done")
    told, text = 0, ""
    try:
        while True:
            found = status["found"]
            for each in found[told:]:
                say(_linked(each))
            told = len(found)
            if status["text"] and status["text"] != text:
                say(f"  {status['text']}")
            text = status["text"]
            if not status["is_on"]:
                break
            wait()
            status = do("link.status")
    except KeyboardInterrupt:
        status = do("link.stop")
        for each in status["found"][told:]:
            say(_linked(each))
    count = len(status["found"])
    say(f"{status['line']}: link mode is off, {count} {'meter' if count == 1 else 'meters'} linked; reading goes on")


def _linked(each: Mapping[str, Any]) -> str:
    return f"  {each['serial']} has ID {each['unit']}"
