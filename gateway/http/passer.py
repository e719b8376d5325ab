"""Passing exchanges on: reads what must be known of a request, writes its reply as it comes.

A JSON body is read whole, as its model, its account and its price depend on it; every other body is
streamed and never held. What an upstream cuts is cut here too: a reply without its end is never
finished.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Protocol
from urllib.parse import parse_qs

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.access.limits import quota_fields
from gateway.errors import (
    BodyTooLarge,
    GatewayError,
    InvalidValue,
    MalformedBody,
    MalformedRequest,
    UnsupportedMedia,
)
from gateway.flow.counting import PATH as COUNTED_PATH
from gateway.flow.passage import Wanted
from gateway.flow.passed import BODYLESS, Passed
from gateway.flow.passing import Passing
from gateway.flow.tolls import limited
from gateway.http.asked import counted
from gateway.http.head import cors_fields
from gateway.http.passage import Passage
from gateway.money import spell
from gateway.principal import Principal
from gateway.wire.body import read
from gateway.wire.stored import survey
from gateway.wire.surface import FORMS, area, below, key_among_subprotocols, passed_to_upstream
from gateway.wire.wishes import parse

LOG = logging.getLogger("tiergate.http")
# Longer queries are no query of this API.
MOST_FIELDS = 64
# Larger bodies are surveyed in a thread: a megabyte takes about 10 ms.
LARGE = 64 * 1024
FORM = b"multipart/form-data"
SDP = b"application/sdp"


Fields = Iterable[tuple[bytes, bytes]]
MEDIA_FIELDS = frozenset({b"content-type", b"content-encoding"})


class Admits(Protocol):
    """Who calls, by the header fields of a request."""

    async def __call__(self, fields: dict[bytes, bytes], *, near: bool) -> Principal:
        """The principal; raises what the client is told where there is none."""
        ...


class Passer:
    """Serves passages; one a process."""

    def __init__(
        self,
        passing: Passing,
        admits: Admits,
        limits: tuple[tuple[str, ...], int],
        mixed: Callable[[], bool],
    ) -> None:
        """`limits`: the origins that may read replies, the largest body that is read whole.

        `mixed`: whether callers with keys and without share what is stored.
        """
        self.passing = passing
        self._admits = admits
        self._cors, self._max_body = limits
        self._mixed = mixed

    async def serve(self, passage: Passage, request_id: str) -> None:
        """Answer one request.

        Raises:
            GatewayError: before anything was answered.
        """
        try:
            wanted = await self._wanted(passage, request_id)
        except GatewayError as error:
            self.passing.rejected(request_id, error, passage.arrived)
            raise
        passed = await self.passing.open(wanted)
        try:
            await self._write(passage, passed)
        except GatewayError:
            # Its framing says that it is not whole: nothing else can be said any more.
            passage.drop()
        finally:
            passed.close(left=passage.disconnected)

    async def _wanted(self, passage: Passage, request_id: str) -> Wanted:
        fields = dict(passage.headers)
        if passage.upgrade and (key := key_among_subprotocols(passage.headers)):
            fields.setdefault(b"authorization", b"Bearer " + key)
        principal = await self._admits(fields, near=passage.protocol.near)
        path, mark, query = passage.target.partition(b"?")
        inside = below(path)
        wishes, _ = parse(fields, {})
        wanted = Wanted(
            request_id,
            passage.method,
            inside,
            inside + (mark + query).decode("latin-1"),
            passed_to_upstream(passage.headers, tunnel=bool(passage.upgrade)),
            principal,
            passage.arrived,
            upgrade=passage.upgrade,
            patience=wishes.patience,
            cache=wishes.cache,
            # Elsewhere the body names it, and a query would only say so.
            query_model=_model_in(query) if passage.upgrade else "",
        )
        if passage.upgrade:
            return wanted._replace(feed=passage)
        wanted = wanted._replace(guarded=self._guarded(wanted))
        if passage.length == 0:
            return wanted
        if _media(passage.headers, wanted):
            return wanted._replace(feed=passage)
        body = await self._collected(passage)
        if not wanted.guarded:
            wanted = wanted._replace(body=body, document=_document(body))
        else:
            document = read(body)
            # Off the loop: what takes a second look may be large.
            said = await asyncio.to_thread(survey, body) if len(body) > LARGE else survey(body)
            wanted = wanted._replace(body=body, document=document, said=said)
        counts = wanted.path == COUNTED_PATH and wanted.method == "POST"
        return counted(wanted, fields) if counts else wanted

    def _guarded(self, wanted: Wanted) -> bool:
        """Whether a body must be proved harmless; input for embeddings refers to nothing."""
        principal = wanted.principal
        if limited(principal):
            return True
        keyed = bool(principal.tenant) or self._mixed()
        return keyed and area(wanted.path) != "embeddings"

    async def _collected(self, passage: Passage) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := await passage.chunk():
            size += len(piece)
            if size > self._max_body:
                message = f"The body is over {self._max_body} bytes."
                raise BodyTooLarge(message)
            pieces.append(piece)
        return b"".join(pieces)

    async def _write(self, passage: Passage, passed: Passed) -> None:
        head = self._head(passage, passed)
        if passed.switched:
            passage.switch(head)
        else:
            bodyless = passage.method == "HEAD" or passed.status in BODYLESS
            length = passed.length if passed.status not in BODYLESS else None
            passage.pass_head(head, length, bodyless=bodyless)
        flow = passage.protocol.flow
        while data := await passed.chunk():
            if flow.write_paused:
                await flow.drain()
            passage.more(data)
            passage.last_write = passage.protocol.plane.now()
        passage.end()

    def _head(self, passage: Passage, passed: Passed) -> bytes:
        books = passed.books
        fields = [b"%b: %b\r\n" % field for field in passed.headers]
        if books.grant is not None and (quotas := quota_fields(books.grant.standing)):
            # The caller's quotas are ours to tell; the upstream's are the account's.
            fields = [f for f in fields if not f.startswith(b"x-ratelimit-")]
            fields.append(quotas)
        request_id = books.wanted.id
        if not books.upstream_id:
            fields.append(b"x-request-id: %b\r\n" % request_id.encode())
        if passed.switched:
            fields.append(b"connection: Upgrade\r\nupgrade: %b\r\n" % passage.upgrade.encode())
        routed = f"x-gateway-model: {books.model}\r\nx-gateway-tier: {books.tier}\r\n"
        cache = f"x-gateway-cache: {books.cache}\r\n" if books.cache != "bypass" else ""
        held = f"x-gateway-cost-usd: {spell(books.cost)}\r\n" if books.cost else ""
        ours = (
            f"x-gateway-reason: passed\r\n{routed if books.tier else ''}{held}{cache}"
            f"x-gateway-overhead-ms: {books.overhead * 1000:.3f}\r\n"
            f"x-gateway-decision-id: {request_id}\r\n"
        ).encode()
        status = STATUS_LINE.get(passed.status, b"HTTP/1.1 %d \r\n" % passed.status)
        cors = cors_fields(passage.headers, self._cors)
        return b"".join((status, passage.protocol.date(), *fields, cors, ours))


def _media(headers: Fields, wanted: Wanted) -> bool:
    """Whether a body is none of JSON and passes unread.

    Raises:
        MalformedRequest: two fields say two things of it.
        UnsupportedMedia: it must be read, and cannot be.
    """
    said = [(name, value) for name, value in headers if name in MEDIA_FIELDS]
    if len(dict(said)) != len(said):
        message = "The request says more than once what its body is."
        raise MalformedRequest(message)
    fields = dict(said)
    kind = fields.get(b"content-type", b"").strip().lower()
    encoded = fields.get(b"content-encoding", b"identity").strip().lower() != b"identity"
    unread = encoded or b"json" not in kind
    if not unread or not wanted.guarded:
        return unread
    if kind or encoded:
        form = kind.startswith((FORM, SDP)) and area(wanted.path) in FORMS
        if encoded or not form:
            message = (
                "With this key the body must be JSON, not encoded (or a form, where this API "
                "takes one): the gateway must read what it refers to."
            )
            raise UnsupportedMedia(message)
    return bool(kind)


def _document(body: bytes) -> dict[str, object] | None:
    """What a body says; None where only the upstream can tell what is wrong with it."""
    try:
        return read(body)
    except MalformedBody:
        return None


def _model_in(query: bytes) -> str:
    """The model that a query names (`/v1/realtime?model=…`)."""
    if b"model=" not in query:
        return ""
    try:
        named = parse_qs(query.decode("latin-1"), max_num_fields=MOST_FIELDS).get("model", [""])
    except ValueError:
        return ""
    if len(named) > 1:
        message = "The query names more than one model."
        raise InvalidValue(message, param="model")
    return named[0]
