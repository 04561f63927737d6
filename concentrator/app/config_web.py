"""The section [web] of the configuration: where the portal is served, and how it treats its visitors."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen

from concentrator.app.address import listen_address
from concentrator.app.rule import Mismatch, Rule, choice, duration, flag, listed, one_or_more, size, text, whole
from concentrator.app.setting import setting
from concentrator.web.conduct import Conduct
from concentrator.web.http_log import DEFAULT_FORMAT, format_fault
from concentrator.web.uri_rules import EXPECTED, UriRule, rule_of


def _log_format() -> Rule:
    def read(raw: Any) -> str:
        if not isinstance(raw, str) or len(raw) > 256 or not raw.isprintable():
            raise Mismatch
        if fault := format_fault(raw):
            raise Mismatch(expected=f"directives that there are, not {fault}")
        return raw

    known = "%a %b %B %h %m %p %q %t %u %U %r %s and %{Header}i"
    return Rule("text", f"a text of at most 256 characters with the directives {known}", read)


def _uri_rule() -> Rule:
    def read(raw: Any) -> UriRule:
        if not isinstance(raw, str):
            raise Mismatch
        try:
            return rule_of(raw)
        except ValueError:
            raise Mismatch from None

    return Rule("rule", EXPECTED, read)


@frozen
class WebSection:
    """The portal, for whoever signs in."""

    listen: tuple[str, ...] = setting(
        one_or_more(listen_address()), "tcp:8080", "Where it is served; an empty list: nowhere."
    )
    https: tuple[str, ...] = setting(
        one_or_more(listen_address()), [], "Where it is served encrypted; an empty list: nowhere."
    )
    tls: tuple[str, ...] = setting(listed(choice("1.2", "1.3")), ["1.2", "1.3"], "The versions of TLS for that.")
    redirect: bool = setting(
        flag(),
        False,
        "Whether whoever comes unencrypted is sent to the first address of `https`; browsers then remember to come "
        "encrypted, for half a year.",
    )
    user: str = setting(
        text("a name of letters, figures and . _ @ -", r"[A-Za-z0-9][A-Za-z0-9._@-]{0,31}"),
        "admin",
        "The first user, an administrator, made when the box starts for the first time; `ccmaster password` says with "
        "which password.",
    )
    max_timeout_s: float = setting(
        duration(1, 600), "10 s", "How long a request may take to come in.", key="max_timeout"
    )
    max_bytes: int = setting(size(1024, 2**20), "40 KiB", "How long the body of a request may be.")
    log: bool = setting(flag(), True, "Whether requests are noted, in memory.")
    log_entries: int = setting(whole(1, 1000), 50, "How many of them: the last.")
    log_format: str = setting(
        _log_format(),
        DEFAULT_FORMAT,
        "What is noted: `%h` or `%a` address, `%b` or `%B` bytes sent, `%m` method, `%p` port, `%q` query, `%t` time, "
        "`%u` user, `%U` path, `%r` first line, `%s` status, `%{Header}i` a header; at most 64 bytes each.",
    )
    rules: tuple[UriRule, ...] = setting(
        listed(_uri_rule()),
        [],
        'What it takes to be let in to an address and all under it, such as "/api ssl/basic users=anna"; the deepest '
        "counts. Above the login, which stays as it is.",
    )

    @property
    def secure_port(self) -> int | None:
        """The port of the first encrypted address."""
        return int(re.findall(r"\d+", self.https[0])[0]) if self.https else None

    @property
    def conduct(self) -> Conduct:
        """How visitors are treated."""
        return Conduct(
            self.max_timeout_s,
            self.max_bytes,
            self.log,
            self.log_entries,
            self.log_format,
            self.rules,
            self.secure_port,
            self.redirect and self.secure_port is not None,
        )
