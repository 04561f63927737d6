"""How a site treats its visitors: what a request may be, what is noted of it, and what it takes to be let in."""

from __future__ import annotations

from attrs import frozen

from concentrator.web.http_log import DEFAULT_FORMAT
from concentrator.web.uri_rules import UriRule

TIMEOUT_S = 10.0
BYTES_MOST = 40_960
LOG_ENTRIES = 50
"""The CMe3000's defaults (its user manual, 6.5)."""


@frozen
class Conduct:
    """`timeout_s`: how long a request may take to come in, seconds; `bytes_most`: how long its body may be;
    `secure_port`: where HTTPS is served, None where it is not; `is_redirecting`: whether whoever comes without it is
    sent there."""

    timeout_s: float = TIMEOUT_S
    bytes_most: int = BYTES_MOST
    is_logging: bool = True
    log_entries: int = LOG_ENTRIES
    log_format: str = DEFAULT_FORMAT
    rules: tuple[UriRule, ...] = ()
    secure_port: int | None = None
    is_redirecting: bool = False
