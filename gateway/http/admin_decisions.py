"""The admin API's view of the routing: the latest decisions, one of them, or all as they come.

They are those of all processes of the gateway, whichever of them is asked. Who watches looks at
them a few times a second and is sent what is new. A watcher that reads too
slowly, or a gateway too busy, loses the oldest and is told how many: no queue grows.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.catalog import TIERS_BY_LABEL
from gateway.errors import NotFound, Overloaded
from gateway.flow.decisions import Decision
from gateway.flow.explain import row
from gateway.flow.together import Together
from gateway.http.admin import PREFIX, Admin, Guard, guards

MAX_PAGE = 500
MAX_ID = 64
# Looked at four times a second: live for people, and nothing for the process.
EVERY_SECONDS = 0.25
# No watcher is sent more at a time; spelling one takes about 50 µs.
MOST_AT_A_TIME = 64
# Proxies close what is silent for a minute.
TURNS_OF_SILENCE = 60
MOST_WATCHERS = 64
# What was spelled for one watcher serves the others.
SPELLED = 256
FIELDS = {"cache-control": "no-store", "x-accel-buffering": "no"}
COMMENT = b": nothing new\n\n"


@dataclass(slots=True)
class Watching:
    """What watching stands on: all decisions, a way of waiting, and whether the process stops."""

    decisions: Together
    pause: Callable[[float], Awaitable[None]]
    stopping: Callable[[], bool]
    watchers: int = 0
    spelled: dict[str, bytes] = field(default_factory=dict)

    async def events(self) -> AsyncIterator[bytes]:
        """One event a finished call, from now on; ends when the process stops."""
        at, silent = (await self.decisions.look()).mark(), 0
        # The head leaves with the first bytes: whoever watches wants to know that it does.
        yield COMMENT
        while not self.stopping():
            await self.pause(EVERY_SECONDS)
            seen = (await self.decisions.glance()).since(at, MOST_AT_A_TIME)
            at, silent = seen.at, silent + 1
            if seen.missed:
                yield b'event: missed\ndata: {"missed":%d}\n\n' % seen.missed
            if seen.decisions:
                yield b"".join([self._event(decision) for decision in seen.decisions])
                silent = 0
            elif silent >= TURNS_OF_SILENCE:
                yield COMMENT
                silent = 0

    def _event(self, decision: Decision) -> bytes:
        call_id = decision.ended.id
        event = self.spelled.get(call_id)
        if event is None:
            event = b"id: %b\nevent: decision\ndata: %b\n\n" % (
                call_id.encode(),
                orjson.dumps(row(decision)),
            )
            self.spelled[call_id] = event
            if len(self.spelled) > SPELLED:
                del self.spelled[next(iter(self.spelled))]
        return event


class Watch(StreamingResponse):
    """One watcher's stream: counted from before its first byte until it is over, never sent or not.

    Asking and counting are one step, so that a burst cannot pass the bound.
    """

    def __init__(self, watching: Watching) -> None:
        super().__init__(watching.events(), 200, FIELDS, "text/event-stream")
        self._watching = watching

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._watching.watchers >= MOST_WATCHERS:
            message = "Too many are watching."
            raise Overloaded(message, retry_after=1)
        self._watching.watchers += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._watching.watchers -= 1


def router(admin: Admin, near: Guard, watching: Watching) -> APIRouter:
    """The decisions' part of the API."""
    routes = APIRouter(prefix=PREFIX, tags=["admin"], dependencies=guards(admin, near))
    decisions = watching.decisions

    @routes.get("/decisions")
    async def list_decisions(
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Most decisions a page.")] = 50,
        before: Annotated[str, Query(max_length=MAX_ID, description="Older than this one.")] = "",
        tier: Annotated[
            Literal["nano", "mini", "full"] | None, Query(description="Answered by this tier.")
        ] = None,
        reason: Annotated[str, Query(max_length=MAX_ID, description="Of this reason's code.")] = "",
    ) -> JSONResponse:
        """List the latest decisions, newest first: what was thought, chosen, and came of it."""
        wanted = TIERS_BY_LABEL[tier] if tier is not None else None
        found = []
        for decision in (await decisions.look()).newest_first(before):
            ended = decision.ended
            if tier is not None and ended.tier is not wanted:
                continue
            if reason and ended.reason != reason:
                continue
            found.append(decision)
            if len(found) > limit:
                break
        rows = [row(decision) for decision in found[:limit]]
        return JSONResponse({"object": "list", "data": rows, "has_more": len(found) > limit})

    @routes.get("/decisions/stream")
    async def watch_decisions() -> StreamingResponse:
        """Watch calls as they end (server-sent events): `decision`, or `missed` with how many."""
        return Watch(watching)

    @routes.get("/decisions/{call_id}")
    async def one_decision(call_id: str) -> JSONResponse:
        """Show the decision of a call, by the id in its `x-gateway-decision-id`."""
        decision = await decisions.find(call_id)
        if decision is None:
            message = "There is no decision of this id, or it is no longer kept."
            raise NotFound(message)
        return JSONResponse(row(decision))

    return routes
