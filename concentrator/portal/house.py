"""What every page is made with: the states it shows, the words it says them in, and the door through which it asks
something of the box. Hides the frame around each page, and which actions a role opens."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import quote

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from concentrator.actions.table import ActionTable, Caller
from concentrator.actions.tracing import Traces
from concentrator.portal.callers import ALLOWED
from concentrator.portal.cells import Cell, Cells, Sources, stamp, words_of
from concentrator.portal.menu import BAR, drawn, trail
from concentrator.portal.numbers import clock_time, joined, span
from concentrator.portal.troubles import OPEN
from concentrator.portal.words import Say, say_in
from concentrator.web.access import Role
from concentrator.web.http_log import HttpLog
from concentrator.web.kept import Typed
from concentrator.web.pages import Templates
from concentrator.web.route import LANGUAGES, Reply, Visit

LIVE_WORDS = {
    "s": "age.s",
    "min": "age.min",
    "lost": "live.lost",
    "back": "live.back",
    "paused": "live.paused",
}
"""What the page's script says by itself: its name there, and its key in the words."""


LOOKING = Caller("portal", ALLOWED[Role.VIEWER])
"""Who asks for what pages are kept alive with."""


@define(eq=False)
class House:
    """The pages' surroundings. `paths` are those of all routes, known once all of them are. `topics`: how the topics of
    pages with cells of their own begin → what makes these, from the rest of the topic and the language (None: there is
    no such thing); they are looked at every second, for nobody says when they change. A page brings its own when it is
    made, and `make_all` makes those that are not yet: a browser goes on with a page it has from before a restart."""

    templates: Templates
    sources: Sources
    traces: Traces
    table: ActionTable
    clock: IReactorTime
    paths: frozenset[str] = frozenset()
    http_log: HttpLog = field(factory=HttpLog)
    topics: dict[str, Callable[[str, str], Mapping[str, Cell] | None]] = field(factory=dict)
    make_all: Callable[[], None] = lambda: None
    _cells: dict[str, Cells] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._cells = {language: Cells(self.sources, language) for language in LANGUAGES}

    def cells(self, language: str) -> Cells:
        """The cells in a language."""
        return self._cells[language]

    def of_topic(self, topic: str, language: str) -> Mapping[str, Cell] | None:
        """The cells that a page is drawn and kept alive with; None where there is nothing of that name."""
        cells = self.cells(language)
        if not self.is_restless(topic):
            if (found := cells.of_topic(topic)) is not None:
                return found
            if topic.startswith(":"):
                self.make_all()
        for beginning, make in self.topics.items():
            if topic.startswith(beginning):
                made = make(topic.removeprefix(beginning), language)
                return None if made is None else {**cells.frame(), **made}
        return None

    def is_restless(self, topic: str) -> bool:
        """Whether the cells of a topic change without anybody saying so."""
        return topic.startswith(tuple(self.topics))

    def say(self, visit: Visit) -> Say:
        """The words of a visitor's language."""
        return say_in(visit.language)

    def caller(self, visit: Visit) -> Caller:
        """Whoever asks, for the action table: what his role allows."""
        if visit.session is None:
            return Caller("nobody", frozenset())
        return Caller(visit.session.user, ALLOWED[visit.session.role])

    def ask(self, visit: Visit, action: str, **arguments: object) -> Deferred[object]:
        """Asks something of the box in the visitor's name; fires with the action's result, or fails as it does."""
        return self.table.call(action, arguments, self.caller(visit))

    def look(self, action: str, **arguments: object) -> object:
        """What an action that only reads gives at once; None where it cannot, or there is none of that name."""
        found: list[object] = []
        self.table.call(action, arguments, LOOKING).addCallbacks(found.append, lambda failure: None)
        return found[0] if found else None

    def note(self, visit: Visit, said: str) -> None:
        """Keeps what the next page that is drawn for the visitor says first."""
        if visit.session is not None:
            visit.session.saved["said"] = said

    def typed(self, visit: Visit) -> Mapping[str, str]:
        """What the visitor had typed on this page when his session had ended; nothing where he had not."""
        kept = visit.session.saved.get("typed") if visit.session is not None else None
        if visit.session is None or not isinstance(kept, Typed) or kept.path != visit.path:
            return {}
        del visit.session.saved["typed"]
        return kept.fields

    def draw(
        self,
        visit: Visit,
        template: str,
        cells: Mapping[str, Cell] | None = None,
        *,
        topic: str = "",
        here: str = "",
        status: HTTPStatus = HTTPStatus.OK,
        **values: object,
    ) -> Reply:
        """A page. `cells` are those its template shows, and `topic` names them to the stream that keeps them alive;
        `here` is the path of its entry in the menu, where that is not its own."""
        now, zone = self.sources.wall.now(), self.sources.zone
        made = dict(cells or {})
        if OPEN not in made:
            made = {**self.cells(visit.language).frame(), **made}
        box, say = self.sources.box(), self.say(visit)
        uptime_s = box.get("uptime_s")
        session = visit.session
        here = here or visit.path
        body = self.templates.render(
            template,
            **values,
            t=say,
            visit=visit,
            language=visit.language,
            theme=visit.theme,
            user=session.user if session else "",
            role=session.role if session else None,
            token=session.token if session else "",
            menu=(menu := drawn(say, session.role if session else None, self.paths, here)),
            bar=[place for place in menu if place.path in BAR],
            trail=trail(say, here),
            here=here,
            paths=self.paths,
            saved=session.saved.pop("said", "") if session else "",
            events=f"/live?of={quote(topic, safe='')}" if session else "",
            box=box,
            uptime=span(uptime_s) if isinstance(uptime_s, int | float) else "",
            live_clock=stamp(self.sources.wall, zone),
            as_of=clock_time(now, zone),
            clock_trusted=self.sources.wall.is_trusted(),
            cells=made,
            live_words=json.dumps({name: say(key) for name, key in LIVE_WORDS.items()}, ensure_ascii=False),
            part=lambda cell, part: part_of(made[cell], part, lambda each: words_of(each, now, zone, visit.language)),
        )
        return Reply(body, status)

    # -- what stands where a page cannot

    def missing(self, visit: Visit) -> Reply:
        """What stands where nothing is."""
        return self.draw(visit, "missing.html", status=HTTPStatus.NOT_FOUND)

    def forbidden(self, visit: Visit, needed: Role) -> Reply:
        """What somebody sees who may not."""
        return self.draw(visit, "forbidden.html", needed=needed, status=HTTPStatus.FORBIDDEN)

    def expired(self, visit: Visit) -> Reply:
        """What becomes of a form that did not come from a page of this session."""
        return self.draw(visit, "expired.html", status=HTTPStatus.FORBIDDEN)


def part_of(cell: Cell, part: str, words: Callable[[Cell], str]) -> str:
    """The text of one part of a cell; the page's script does the same for the ones that changed."""
    if part == "readout":
        return joined(str(cell["text"]), str(cell["unit"]))
    if part == "words":
        return words(cell)
    return str(cell[part])
