"""Who asks the API: a program by its token, or a page of somebody who signed in. Hides that a cookie alone, which comes
with requests of other sites too, changes nothing."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

from twisted.web.server import Request

from concentrator.actions.table import Caller, Permission
from concentrator.model.errors import NotSignedIn
from concentrator.web.access import Role
from concentrator.web.route import is_same_site, visit_of
from concentrator.web.session import Sessions
from concentrator.web.tokens import Tokens

TOKEN_HEADER = b"x-ccmaster-token"
"""Where a page's script puts the token of its session."""

ALLOWED: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.INSTALLER: frozenset(Permission) - {Permission.SYSTEM, Permission.USERS},
    Role.ADMINISTRATOR: frozenset(Permission),
}
"""The classes of actions that each role opens."""


Who = Callable[[Request], Caller]
"""`who(request)`: whoever asks; raises NotSignedIn."""


def callers(sessions: Sessions, tokens: Tokens) -> Who:
    """Knows callers by their tokens and sessions."""

    def who(request: Request) -> Caller:
        said = (request.getHeader(b"authorization") or b"").decode("ascii", "replace")
        scheme, _, secret = said.partition(" ")
        if scheme.lower() == "bearer":
            token = tokens.find(secret.strip())
            if token is None:
                raise NotSignedIn("this token is not known, or was taken back")
            return Caller(f"token {token.name}", frozenset(map(Permission, token.allowed)))
        session = visit_of(request, sessions).session
        if session is None or session.must_change:
            raise NotSignedIn("send a token, as in Authorization: Bearer ccm_…, or sign in")
        if request.method not in (b"GET", b"HEAD"):
            given = request.getHeader(TOKEN_HEADER) or b""
            if not is_same_site(request) or not hmac.compare_digest(given, session.token.encode()):
                raise NotSignedIn(f"a session changes things with the header {TOKEN_HEADER.decode()} only")
        return Caller(session.user, ALLOWED[session.role])

    return who
