"""Pages with forms as visitors without a script have them: what stands in the fields, what is said; and sending them
back."""

from __future__ import annotations

import html
import re
import tomllib
from functools import cached_property
from typing import Any

from concentrator.web.access import Role


def words_of(page: str) -> str:
    """The words of a page's content in reading order, with plain spaces, without what is hidden."""
    shown = re.sub(r"[\u00a0\u202f]|&nbsp;", " ", page)
    shown = re.sub(r"<(\w+)[^>]* hidden>.*?</\1>", "", shown, flags=re.S)
    shown = re.sub(r"<template.*?</template>", "", shown, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", shown.partition("<main")[2]).split())


class Page:
    """A page as a visitor without a script has it: what stands in its fields, and what it says."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.html = answer, answer.text

    @cached_property
    def fields(self) -> dict[str, str]:
        """All that a browser would send of it."""
        found = {}
        for tag in re.findall(r"<input[^>]*>", self.html.partition('<form method="post"')[2].partition("data-form")[2]):
            told = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
            if told.get("type") == "file" or "name" not in told or told["name"] == "token":
                continue
            if told["type"] != "checkbox" or " checked" in tag:
                found[told["name"]] = told.get("value", "")
        for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', self.html, flags=re.S):
            chosen = re.findall(r'value="([^"]*)" selected', options) or re.findall(r'value="([^"]*)"', options)
            found[name] = html.unescape(chosen[0])
        return found

    @cached_property
    def words(self) -> str:
        """What it says, in reading order."""
        shown = re.sub(r"<(style|script).*?</\1>", " ", self.html.partition("<main")[2], flags=re.S)
        return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", shown).split()))

    def fault(self, name: str) -> str:
        """What stands beside a field as its fault."""
        found = re.search(rf'id="f-{name}-fault">(.*?)</p>', self.html, flags=re.S)
        return html.unescape(found[1]) if found else ""

    @property
    def summary(self) -> list[str]:
        """What its list of faults says."""
        part = self.html.partition('id="faults"')[2].partition("</ul>")[0]
        return [html.unescape(each) for each in re.findall(r'<a href="[^"]+">(.*?)</a>', part, flags=re.S)]


class Visitor:
    """Somebody who signed in, and reads a language."""

    def __init__(self, box: Any, site: Any, role: Role = Role.INSTALLER, language: str = "en") -> None:
        self.box, self.site, self.role, self.language = box, site, role, language

    def open(self, path: str) -> Page:
        """The page at a path."""
        return Page(self.box.as_(self.role, self.site, path, accept_language=self.language))

    def send(self, path: str, page: Page | None = None, **typed: Any) -> Page:
        """Sends the form of a page with some fields filled in otherwise; None is a box that is not ticked."""
        fields = (page or self.open(path)).fields | {name.replace("__", "-"): value for name, value in typed.items()}
        fields = {name: value for name, value in fields.items() if value is not None}
        return Page(self.box.as_(self.role, self.site, path, accept_language=self.language, fields=fields))


def kept(box: Any) -> dict[str, Any]:
    """What the configuration file of a box says."""
    return tomllib.loads(box.text)
