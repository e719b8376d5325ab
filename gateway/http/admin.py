"""The admin API: make, list, change, rotate and revoke keys; who may do so.

Guarded by a key of its own. Without one, callers on this machine only, and then neither through a
proxy nor from a web page: a page could reach a loopback address by a name that resolves to it, so
`Host` and `Origin` must name this machine. A key is in the reply that made it and nowhere else.
What stands in the configuration is shown here and changed there. Spend and standing are in
`gateway.http.admin_spend`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from gateway.access.changing import change
from gateway.access.directory import Directory
from gateway.access.records import created, looked_up, refuse_taken, revoked, rotated
from gateway.access.statements import Row, key_row
from gateway.access.token import RANDOM_BYTES, bearer
from gateway.catalog import Secret
from gateway.errors import InvalidValue, PermissionDenied, Unauthenticated
from gateway.ports import Keys, Ledger
from gateway.principal import KeyRecord
from gateway.settings.asked import AskedKey, ChangedKey, changed, new_key

PREFIX = "/admin/v1"
# A reply that holds a key must not be kept by anything on the way.
UNKEPT = {"cache-control": "no-store"}
MAX_PAGE = 500

Guard = Callable[[Request], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Admin:
    """What the admin API stands on.

    `records` are the keys of the configuration; `randomness` gives that many random bytes; `key`
    guards it; `everywhere` serves other machines too.
    """

    keys: Keys
    ledger: Ledger
    directory: Directory
    wall: Callable[[], float]
    randomness: Callable[[int], bytes]
    records: tuple[KeyRecord, ...] = ()
    key: Secret | None = None
    everywhere: bool = False

    async def every(self) -> list[KeyRecord]:
        """All keys, those of the configuration first."""
        return [*self.records, *await self.keys.every()]

    async def changeable(self, said: str) -> KeyRecord:
        """A key of the store, by name or id.

        Raises:
            NotFound: there is none.
            PermissionDenied: it stands in the configuration.
        """
        record = looked_up(said, await self.every())
        if any(record.id == other.id for other in self.records):
            message = "This key stands in the configuration; change it there."
            raise PermissionDenied(message, param="key")
        return record

    async def change(self, said: str, make: Callable[[KeyRecord], KeyRecord]) -> KeyRecord:
        """A key of the store as `make` changes it, whoever else changes it meanwhile."""
        return await change(self.keys, lambda: self.changeable(said), make)

    def row(self, record: KeyRecord) -> Row:
        """A key as it is shown."""
        configured = any(record.id == other.id for other in self.records)
        return key_row(record, self.wall(), configured=configured)


def router(admin: Admin, near: Guard) -> APIRouter:
    """The keys' part of the API; `near` refuses callers on other machines."""
    routes = APIRouter(prefix=PREFIX, tags=["admin"], dependencies=guards(admin, near))
    # Names are looked at before they are taken: here at least one after the other.
    changing = asyncio.Lock()
    _reading(routes, admin)
    _making(routes, admin, changing)
    _changing(routes, admin, changing)
    return routes


def guards(admin: Admin, near: Guard) -> list[Any]:
    """What every request must pass, in order."""
    checks = [] if admin.everywhere else [Depends(near)]
    return [*checks, Depends(_with_key(admin.key) if admin.key is not None else from_no_page)]


def _with_key(key: Secret) -> Guard:
    wanted = blake2b(key.reveal().encode()).digest()

    async def check(request: Request) -> None:
        said = bearer(request.headers.get("authorization", "").encode("latin-1"))
        if not compare_digest(blake2b(said).digest(), wanted):
            message = "The admin API needs its own key: Authorization: Bearer, then admin.key."
            raise Unauthenticated(message)

    return check


async def from_no_page(request: Request) -> None:
    """Refuse what a web page may have sent, and what came by a name that is not this machine's.

    Raises:
        PermissionDenied: it may be such a request.
    """
    origin = request.headers.get("origin")
    hosts = [urlsplit(f"//{request.headers.get('host', '')}").hostname]
    if origin is not None:
        hosts.append(urlsplit(origin).hostname)
    if request.client is not None and not all(map(_names_this_machine, hosts)):
        message = "Call the admin API as 127.0.0.1 or localhost, or set admin.key."
        raise PermissionDenied(message)


def _names_this_machine(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _reading(routes: APIRouter, admin: Admin) -> None:
    @routes.get("/keys")
    async def list_keys(
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Most keys a page.")] = 50,
        after: Annotated[str, Query(description="Id of the last key of the page before.")] = "",
        team: Annotated[str, Query(description="Keys of this team only.")] = "",
        status: Annotated[
            Literal["active", "expired", "revoked"] | None, Query(description="Such keys only.")
        ] = None,
    ) -> JSONResponse:
        """List the keys, oldest first, without what would open anything."""
        rows = [admin.row(record) for record in await admin.every()]
        start = 0
        if after:
            ids = [row["id"] for row in rows]
            if after not in ids:
                message = "after: there is no key of this id."
                raise InvalidValue(message, param="after")
            start = ids.index(after) + 1
        wanted = [
            row
            for row in rows[start:]
            if (not team or row["team"] == team) and (status is None or row["status"] == status)
        ]
        return JSONResponse(
            {"object": "list", "data": wanted[:limit], "has_more": len(wanted) > limit}
        )

    @routes.get("/keys/{key}")
    async def one_key(key: str) -> JSONResponse:
        """Show a key, by name or id."""
        return JSONResponse(admin.row(looked_up(key, await admin.every())))


def _making(routes: APIRouter, admin: Admin, changing: asyncio.Lock) -> None:
    @routes.post("/keys", status_code=201)
    async def create_key(said: AskedKey) -> JSONResponse:
        """Make a key. This reply is the only place where it is ever shown."""
        now = admin.wall()
        asked = new_key(said, admin.directory, now)
        async with changing:
            record, key = created(
                asked, await admin.every(), randomness=admin.randomness(RANDOM_BYTES), now=now
            )
            await admin.keys.put(record)
        return _shown_once(admin.row(record), key, 201)

    @routes.post("/keys/{key}/rotate")
    async def rotate_key(key: str) -> JSONResponse:
        """Give a key a new secret; limits and spend stay, the old one opens nothing any more."""
        async with changing:
            made: list[Secret] = []

            def renewed(before: KeyRecord) -> KeyRecord:
                record, fresh = rotated(before, randomness=admin.randomness(RANDOM_BYTES))
                made.append(fresh)
                return record

            record = await admin.change(key, renewed)
        return _shown_once(admin.row(record), made[-1], 200)


def _shown_once(row: Row, key: Secret, status: int) -> JSONResponse:
    return JSONResponse({**row, "key": key.reveal()}, status, UNKEPT)


def _changing(routes: APIRouter, admin: Admin, changing: asyncio.Lock) -> None:
    @routes.patch("/keys/{key}")
    async def change_key(key: str, said: ChangedKey) -> JSONResponse:
        """Change what is said, leave the rest; `null` takes a limit away."""
        async with changing:
            others = await admin.every()

            def altered(before: KeyRecord) -> KeyRecord:
                after = changed(before, said, admin.directory, admin.wall())
                if after.name != before.name:
                    refuse_taken(after.name, others)
                return after

            record = await admin.change(key, altered)
        return JSONResponse(admin.row(record))

    @routes.delete("/keys/{key}")
    async def revoke_key(key: str) -> JSONResponse:
        """Revoke a key: within two seconds it opens nothing any more. Its records stay."""
        async with changing:
            record = await admin.change(key, lambda before: revoked(before, admin.wall()))
        return JSONResponse(admin.row(record))
