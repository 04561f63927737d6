"""Who may use the portal: names, roles and hashes, in one piece that is kept whole. Hides that checks take turns in a
thread, so that many tries at once cost neither the bus its time nor the box its memory; that who is not known takes as
long to refuse as who is; and that somebody can always manage the others."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred, DeferredLock

from concentrator.model.errors import Busy, OutOfRange, Unknown
from concentrator.web.access import Role
from concentrator.web.passwords import COST, LEAST, MOST, Cost, fits, hashed, is_well_known, made

USERS_MOST = 50
WAITING_MOST = 8
NAME_MOST = 32

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._@-]{{0,{NAME_MOST - 1}}}")

T = TypeVar("T")
InThread = Callable[[Callable[[], Any]], Deferred[Any]]
"""`in_thread(job)`: calls it in a thread; fires with what it gave or raised."""


class Refusal(OutOfRange):
    """A user or a password cannot be like this. `code` says why in one word, `values` what the words need."""

    def __init__(self, code: str, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.code = code
        self.values = values


@frozen
class User:
    """Somebody who may sign in. `first` is his password itself where the box made it and he has not chosen one yet: it
    stands on the label. `digests` has, for each realm in which he signs in by HTTP Digest, what that needs of his
    password: nothing until he has said it once more."""

    name: str
    role: Role
    password: str = field(repr=False)
    must_change: bool = False
    first: str = field(default="", repr=False)
    digests: Mapping[str, str] = field(factory=dict, repr=False)


class Users:
    """The users there are. `kept` is what was kept, None where nothing ever was; `keep(content)` keeps all of them,
    or raises OSError, and then nothing has changed. ValueError where `kept` is damaged."""

    def __init__(
        self,
        kept: bytes | None,
        keep: Callable[[bytes], None],
        in_thread: InThread,
        *,
        cost: Cost = COST,
        box: Iterable[str] = (),
    ) -> None:
        self._keep = keep
        self._in_thread = in_thread
        self._cost = cost
        self._box = tuple(box)
        self._turn = DeferredLock()
        self._users = {each.name: each for each in users_of(kept)} if kept is not None else {}
        self._nobody = ""
        self._realms: Mapping[str, Collection[str]] = {}

    def __iter__(self) -> Any:
        return iter(tuple(self._users.values()))

    def find(self, name: str) -> User | None:
        """The user of that name."""
        return self._users.get(name)

    def first(self) -> User | None:
        """Who has a password still that the box made."""
        return next((each for each in self._users.values() if each.first), None)

    async def begin(self, name: str, password: str = "") -> None:
        """Makes the first user, an administrator, where there is nobody yet: with a password by chance, which he may
        keep, or with the one given, which others know and he must change."""
        if not self._users:
            first = password or made()
            kept = await self._hash(first)
            self._change(User(name, Role.ADMINISTRATOR, kept, bool(password), "" if password else first))

    async def check(self, name: str, password: str) -> User | None:
        """Who signs in with these; None where one of them is wrong. Busy where too many try at once."""
        user = self._users.get(name)
        if len(password) > MOST:
            return None
        if not self._nobody:
            self._nobody = await self._hash(made())
        kept = user.password if user else self._nobody
        is_right = await self._in_turn(lambda: fits(password, kept))
        # He may have been changed or removed while his password was being checked.
        user = self._users.get(name)
        if not is_right or user is None or user.password != kept:
            return None
        if not all(user.digests.values()):
            self._change(user := evolve(user, digests=_digests(user, password)))
        return user

    async def add(self, name: str, role: Role, password: str = "") -> str:
        """Adds somebody, with a password that he must change; gives it, made by chance where none is given. Refusal
        where it cannot be so."""
        if not _NAME.fullmatch(name):
            raise Refusal("name", f"a name is 1 … {NAME_MOST} letters, figures and . _ @ -, not {name!r}")
        if len(self._users) >= USERS_MOST:
            raise Refusal("many", f"there are {USERS_MOST} users already, as many as can be", n=USERS_MOST)
        self._demand_free(name)
        if password:
            self.demand_good(password, name)
        given = password or made()
        kept = await self._hash(given)
        self._demand_free(name)
        digests = dict.fromkeys(self._realms_of(name), "")
        self._change(User(name, role, kept, must_change=True, digests=digests))
        return given

    async def set_password(self, name: str, password: str) -> None:
        """The user's own new password. Refusal where it cannot be one."""
        self.demand_good(password, name)
        kept = await self._hash(password)
        user = self._known(name)
        digests = _digests(user, password)
        self._change(evolve(user, password=kept, must_change=False, first="", digests=digests))

    async def reset(self, name: str) -> str:
        """A new password by chance, which the user must change when he signs in; gives it."""
        self._known(name)
        password = made()
        kept = await self._hash(password)
        user = self._known(name)
        none = dict.fromkeys(user.digests, "")
        self._change(evolve(user, password=kept, must_change=True, first="", digests=none))
        return password

    def set_role(self, name: str, role: Role) -> None:
        """Gives a user another role. Refusal where nobody would be left to manage the users."""
        user = self._known(name)
        if role is not Role.ADMINISTRATOR:
            self._demand_another(name)
        self._change(evolve(user, role=role))

    def remove(self, name: str) -> None:
        """Removes a user. Refusal where nobody would be left to manage the others."""
        self._known(name)
        self._demand_another(name)
        self._save({key: each for key, each in self._users.items() if key != name})

    def take_digests(self, realms: Mapping[str, Collection[str]]) -> None:
        """Says who signs in by HTTP Digest, by name, and in which realms; with the empty name, everybody. What that
        needs is kept from the next time he says his password, anything else is forgotten."""
        self._realms = realms
        users = {
            key: evolve(each, digests={realm: each.digests.get(realm, "") for realm in self._realms_of(key)})
            for key, each in self._users.items()
        }
        if users != self._users:
            self._save(users)

    def demand_good(self, password: str, name: str) -> None:
        """Refusal where a password is too short, too long, or among those that are tried first."""
        if not LEAST <= len(password) <= MOST:
            words = f"a password has {LEAST} … {MOST} characters, this one {len(password)}"
            raise Refusal("length", words, n=len(password), least=LEAST, most=MOST)
        if is_well_known(password, name, *self._box):
            raise Refusal("common", f"this password is among the most common ones; use {LEAST} or more characters")

    def _realms_of(self, name: str) -> list[str]:
        return sorted({*self._realms.get("", ()), *self._realms.get(name, ())})

    def _demand_free(self, name: str) -> None:
        if name.lower() in (each.lower() for each in self._users):
            raise Refusal("taken", f"there is a user {name!r} already", name=name)

    def _demand_another(self, name: str) -> None:
        if not any(each.role is Role.ADMINISTRATOR and each.name != name for each in self._users.values()):
            raise Refusal("last", f"{name} is the only administrator; make another one first", name=name)

    def _known(self, name: str) -> User:
        user = self._users.get(name)
        if user is None:
            raise Unknown(f"user {name}")
        return user

    def _change(self, user: User) -> None:
        self._save(self._users | {user.name: user})

    def _save(self, users: dict[str, User]) -> None:
        self._keep(_written(users.values()))
        self._users = users

    async def _hash(self, password: str) -> str:
        kept: str = await self._in_turn(lambda: hashed(password, self._cost))
        return kept

    async def _in_turn(self, job: Callable[[], T]) -> T:
        if len(self._turn.waiting) >= WAITING_MOST:
            raise Busy("too many passwords are being checked")
        found: T = await self._turn.run(self._in_thread, job)
        return found


def digest_of(name: str, realm: str, password: str) -> str:
    """What HTTP Digest needs of a password: A1, hashed (RFC 2617, 3.2.2.2), by MD5, as the CMe3000's pages and what
    was made to read them have it."""
    return hashlib.md5(f"{name}:{realm}:{password}".encode(), usedforsecurity=False).hexdigest()


def _digests(user: User, password: str) -> dict[str, str]:
    return {realm: digest_of(user.name, realm, password) for realm in user.digests}


def _written(users: Iterable[User]) -> bytes:
    rows = [
        {
            "name": each.name,
            "role": each.role.value,
            "password": each.password,
            "must_change": each.must_change,
            "first": each.first,
            "digests": dict(each.digests),
        }
        for each in users
    ]
    return json.dumps({"users": rows}, indent=1, ensure_ascii=False).encode() + b"\n"


def users_of(kept: bytes) -> list[User]:
    """The users as they were kept. ValueError where that is damaged."""
    try:
        rows = json.loads(kept)["users"]
        return [User(**{**row, "role": Role(row["role"])}) for row in rows]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError("the file of the users is damaged") from error
