"""The admin API's figures: what was spent by whom on what, and where limits stand now."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from gateway.access.records import looked_up
from gateway.access.statements import as_csv, month_of, spend_rows, standing_row, total_row
from gateway.errors import InvalidValue
from gateway.holds import SpendQuery
from gateway.http.admin import PREFIX, Admin, Guard, guards
from gateway.principal import Principal

MAX_ROWS = 10_000
MAX_NAME = 128

Named = Annotated[str, Query(max_length=MAX_NAME)]
Day = Annotated[date | None, Query()]


def router(admin: Admin, near: Guard) -> APIRouter:
    """The figures' part of the API."""
    routes = APIRouter(prefix=PREFIX, tags=["admin"], dependencies=guards(admin, near))
    _spend(routes, admin)
    _standing(routes, admin)
    return routes


def _spend(routes: APIRouter, admin: Admin) -> None:
    @routes.get("/spend")
    async def spend(  # noqa: PLR0913 - query parameters, each named
        since: Day = None,
        until: Day = None,
        organisation: Named = "",
        team: Named = "",
        key: Named = "",
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 1_000,
        format: Literal["json", "csv"] = "json",
    ) -> Response:
        """Show spend by day, key, model and tier, newest day first; this month unless said.

        `key` is a name or an id. `has_more` says that there are more rows: ask for fewer days.
        """
        today = datetime.fromtimestamp(admin.wall(), UTC).date()
        last = until or today
        first = since or month_of(last)
        if first > last:
            message = "since must not be after until."
            raise InvalidValue(message, param="since")
        records = await admin.every()
        key_id = looked_up(key, records).id if key else ""
        query = SpendQuery(first, last, organisation, team, key_id, limit + 1)
        found = await admin.ledger.spend(query)
        spent = found[:limit]
        rows = spend_rows(spent, {record.id: record.name for record in records})
        if format == "csv":
            name = f'attachment; filename="spend-{first}-{last}.csv"'
            return Response(as_csv(rows), 200, {"content-disposition": name}, "text/csv")
        return JSONResponse(
            {
                "object": "list",
                "since": first.isoformat(),
                "until": last.isoformat(),
                "data": rows,
                "total": total_row(spent),
                "has_more": len(found) > limit,
            }
        )


def _standing(routes: APIRouter, admin: Admin) -> None:
    @routes.get("/standing")
    async def standing(key: Named = "", team: Named = "", organisation: Named = "") -> JSONResponse:
        """Show where the limits of a key (with its team and organisation), or of one above, stand.

        Say one of the three.
        """
        principal = await _meant(admin, key, team, organisation)
        now = await admin.ledger.standing(principal.root, principal.levels)
        return JSONResponse(standing_row(principal, now))


async def _meant(admin: Admin, key: str, team: str, organisation: str) -> Principal:
    if [bool(key), bool(team), bool(organisation)].count(True) != 1:
        message = "Say one of key, team and organisation."
        raise InvalidValue(message, param="key")
    if key:
        return admin.directory.principal(looked_up(key, await admin.every()))
    if team:
        return admin.directory.team(team)
    return admin.directory.organisation(organisation)
