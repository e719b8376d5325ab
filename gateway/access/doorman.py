"""Lets calls in: from a request's credential to a principal, or to a refusal.

    credential             keys there are            no key anywhere yet
    tg-…                   its key decides           401
    another's (sk-…)       401                       as without one
    none                   401                       this machine: in; another: 401

`access.open` lets whoever brings no key of ours in, keys or not. A store that cannot be asked is
503, never 401; a key that fails open and was seen here before is let in all the same.

`known` is for the hot path and never awaits: it knows the keys of the configuration and those that
the store showed in the last second. `admit` finds out the rest. Once a key was seen, the gateway
stays closed to those without one for as long as it runs.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from hmac import compare_digest
from math import inf
from typing import NamedTuple

from gateway.access.directory import Directory
from gateway.access.records import Status, status
from gateway.access.token import ID_SLICE, PREFIX, parse, presented, proves, salted
from gateway.errors import CallerError, StoreUnavailable, Unauthenticated
from gateway.ports import Clock, Keys
from gateway.principal import ANYONE, KeyRecord, Outage, Principal

Fields = Mapping[bytes, bytes]
"""Lower-case names of header fields with their values."""

# How long the store's word on a key counts; it may itself be up to a second old.
FRESH_SECONDS = 1.0
# How long an id the store did not know is not asked for again, and how many are remembered.
UNKNOWN_SECONDS = 1.0
MAX_UNKNOWN = 4_096
# Keys held here; the longest unused make room. A thousand take about a megabyte.
MAX_KNOWN = 10_000
# How often the store of a gateway without keys is asked whether there is one by now.
LOOK_SECONDS = 2.0
# Whoever comes through a proxy on this machine is not on this machine.
FORWARDED = frozenset({b"forwarded", b"x-forwarded-for"})

INCORRECT = "Incorrect API key provided. This gateway takes its own keys (tg-…) only."
MISSING = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header "
    "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
)
NO_KEYS_YET = (
    "This gateway has no keys yet, so it serves callers on its own machine only. Create one with "
    "`tiergate keys create NAME`, or let anyone call with `access.open: true`."
)


class KeyMissing(CallerError):
    """No key was sent; OpenAI gives this no code."""

    status = 401
    kind = "caller_unauthenticated"


class _Known(NamedTuple):
    """A key that may be let in without asking; `fresh` is when to ask again."""

    hasher: blake2b
    digest: bytes
    principal: Principal
    expires: float
    fresh: float

    def opened_by(self, credential: bytes) -> bool:
        """Whether a credential is this key; the time taken tells nothing about it."""
        hasher = self.hasher.copy()
        hasher.update(credential)
        return compare_digest(hasher.digest(), self.digest)


class Doorman:
    """Stands before the gateway of one process; `records` are the keys of the configuration."""

    def __init__(
        self,
        directory: Directory,
        keys: Keys,
        clock: Clock,
        *,
        records: Iterable[KeyRecord] = (),
        open_to_all: bool = False,
    ) -> None:
        self._directory = directory
        self._keys = keys
        self._now = clock.now
        self._wall = clock.wall
        self._configured = {record.id: record for record in records}
        self._open = open_to_all
        self._closed = bool(self._configured)
        self._looked = -inf
        self._known: dict[bytes, _Known] = {}
        self._unknown: dict[str, float] = {}
        for record in self._configured.values():
            self._remember(record, fresh=inf)

    def known(self, fields: Fields, *, near: bool = False) -> Principal | None:
        """Who calls, if that can be said at once; else ask `admit`.

        `near`: the connection comes from this machine's loopback, or through one of its sockets.
        """
        credential = presented(fields)
        found = self._known.get(credential[ID_SLICE])
        if found is None:
            if credential.startswith(PREFIX):
                return None
            return ANYONE if self._may_anyone(fields, near=near) else None
        if not found.opened_by(credential) or found.fresh <= self._now():
            return None
        return found.principal if found.expires > self._wall() else None

    async def admit(self, fields: Fields, *, near: bool = False) -> Principal:
        """Who calls.

        Raises:
            KeyMissing: no key was sent.
            Unauthenticated: what was sent opens nothing now.
            StoreUnavailable: nobody can say.
        """
        credential = presented(fields)
        if not credential.startswith(PREFIX):
            return await self._without_key(fields, near=near, foreign=bool(credential))
        key_id = parse(credential)
        if key_id is None:
            raise Unauthenticated(INCORRECT)
        configured = self._configured.get(key_id)
        if configured is not None:
            return self._checked(configured, credential, fresh=inf)
        try:
            record = await self._found(key_id)
        except StoreUnavailable:
            seen = self._known.get(key_id.encode())
            if seen is None or seen.principal.outage is not Outage.OPEN:
                raise
            if not seen.opened_by(credential) or seen.expires <= self._wall():
                raise
            return seen.principal
        if record is None:
            raise Unauthenticated(INCORRECT)
        return self._checked(record, credential, fresh=self._now() + FRESH_SECONDS)

    async def posture(self) -> str:
        """Who is let in, as a sentence for the log at start."""
        if self._open:
            return "access.open is set: whoever reaches this gateway may spend its key"
        try:
            await self._look()
        except StoreUnavailable:
            return "the store of keys cannot be reached: callers get 503 until it can"
        if self._closed:
            return "callers need a key"
        return (
            "there are no keys: anyone on this machine may call, nobody else "
            "(tiergate keys create NAME makes one)"
        )

    def mixed(self) -> bool:
        """Whether callers without a key are let in beside those with one."""
        return self._open and self._closed

    def _checked(self, record: KeyRecord, credential: bytes, *, fresh: float) -> Principal:
        if not proves(credential, record):
            raise Unauthenticated(INCORRECT)
        now = status(record, self._wall())
        if now is not Status.ACTIVE:
            self._known.pop(record.id.encode(), None)
            message = f"This API key is {now.value}."
            raise Unauthenticated(message)
        return self._remember(record, fresh=fresh).principal

    def _remember(self, record: KeyRecord, *, fresh: float) -> _Known:
        name = record.id.encode()
        before = self._known.pop(name, None)
        principal = self._directory.principal(record)
        if before is not None and before.principal == principal:
            # The same object again, so that what others keep beside it stays good.
            principal = before.principal
        expires = inf if record.expires is None else record.expires
        made = _Known(salted(record.salt), record.digest, principal, expires, fresh)
        while len(self._known) >= MAX_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[name] = made
        self._closed = True
        return made

    async def _found(self, key_id: str) -> KeyRecord | None:
        until = self._unknown.get(key_id)
        if until is not None and until > self._now():
            return None
        record = await self._keys.find(key_id)
        self._unknown.pop(key_id, None)
        if record is None:
            while len(self._unknown) >= MAX_UNKNOWN:
                del self._unknown[next(iter(self._unknown))]
            self._unknown[key_id] = self._now() + UNKNOWN_SECONDS
        return record

    async def _without_key(self, fields: Fields, *, near: bool, foreign: bool) -> Principal:
        if not self._open and not self._closed:
            await self._look()
        if self._may_anyone(fields, near=near):
            return ANYONE
        if not self._closed:
            raise KeyMissing(NO_KEYS_YET)
        if foreign:
            raise Unauthenticated(INCORRECT)
        raise KeyMissing(MISSING)

    def _may_anyone(self, fields: Fields, *, near: bool) -> bool:
        """Whether callers without a key of ours are let in, as far as is known now."""
        if self._open:
            return True
        looked_lately = self._looked + LOOK_SECONDS > self._now()
        return not self._closed and looked_lately and near and FORWARDED.isdisjoint(fields)

    async def _look(self) -> None:
        """See whether the store has a key by now; what was known counts while it is away."""
        if self._closed or self._looked + LOOK_SECONDS > self._now():
            return
        try:
            self._closed = bool(await self._keys.every())
        except StoreUnavailable:
            if self._looked == -inf:
                raise
        self._looked = self._now()
