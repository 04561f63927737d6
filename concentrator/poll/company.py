"""The stations of a line as a company: whether one of them is missing, or the line itself. Hides which silence is told
at once, which waits to be understood, and which is covered by the line's own.

Theory. A station that falls silent is not told before somebody else has answered after it: only then it is known that
the line carries. When nobody is left who answers, and all of whom anything was still expected (two at least) failed
since anybody's last answer, it is the line that is silent, which is told once for all of them; a station alone is told
as itself. The first answer of anybody ends that. Those who fell silent with the line are then expected back: one that
fails once more is told by itself, one that answers was never missing.
"""

from __future__ import annotations

from attrs import define, field

from concentrator.api import Report


@define(eq=False)
class Company:
    """The stations of the line `line`, by the short ids of their devices."""

    line: str
    report: Report
    is_silent: bool = field(default=False, init=False)
    _members: set[str] = field(factory=set, init=False)
    _present: set[str] = field(factory=set, init=False)
    _failed: set[str] = field(factory=set, init=False)
    _untold: dict[str, str] = field(factory=dict, init=False)
    _excused: set[str] = field(factory=set, init=False)
    _told: set[str] = field(factory=set, init=False)

    def add(self, uid: str) -> None:
        """A new station, of which an answer is expected."""
        self._members.add(uid)

    def remove(self, uid: str) -> None:
        """The station is no member any more."""
        for those in (self._members, self._present, self._failed, self._excused, self._told):
            those.discard(uid)
        self._untold.pop(uid, None)

    def answered(self, uid: str) -> tuple[str, ...]:
        """A station answered. Where that ends the silence of the line, gives those who may be back as well."""
        if not self._failed and uid in self._present:
            return ()
        self._failed.clear()
        self._present.add(uid)
        self._untold.pop(uid, None)
        self._excused.discard(uid)
        if uid in self._told:
            self._told.discard(uid)
            self.report("device.found", {"device": uid})
        if self.is_silent:
            self.is_silent = False
            self.report("line.answering", {"line": self.line, "text": f"{uid} answers again"})
            return tuple(self._excused)
        for other in tuple(self._untold.keys() - self._excused):
            self._tell(other)
        return ()

    def failed(self, uid: str, text: str) -> None:
        """A station did not answer, or not understandably; `text` is why."""
        self._failed.add(uid)
        if uid in self._excused and not self.is_silent:
            self._untold[uid] = text
            self._tell(uid)
        self._judge(text)

    def fell_silent(self, uid: str, text: str) -> None:
        """A station failed once too often; `text` is why the last time."""
        self._present.discard(uid)
        self._failed.add(uid)
        if uid not in self._told:
            self._untold[uid] = text
        self._judge(text)

    def reopened(self) -> None:
        """The line was away: who failed before says nothing about it now."""
        self._failed.clear()

    def _judge(self, text: str) -> None:
        if self.is_silent:
            self._excused |= self._untold.keys()
            return
        awaited = self._members - self._told
        if self._present or not awaited or not awaited <= self._failed:
            return
        if len(awaited) > 1:
            self.is_silent = True
            self._excused |= self._untold.keys()
            said = f"none of its {len(self._members)} devices answers; the last one: {text}"
            self.report("line.silent", {"line": self.line, "text": said})
        else:
            for uid in awaited & self._untold.keys():
                self._tell(uid)

    def _tell(self, uid: str) -> None:
        self._told.add(uid)
        self._excused.discard(uid)
        self.report("device.lost", {"device": uid, "text": self._untold.pop(uid)})
