"""Embeddings kept input by input: of a batch only what is not known goes upstream.

Where nothing of a call is known its bytes and the reply's pass untouched, and the vectors are kept
on the way. A reply made of kept vectors is ours, in the same order; its `usage` tells all tokens,
and only those of the missing inputs are paid for.
"""

from collections.abc import Awaitable, Callable

from gateway.call import Headers, Usage
from gateway.catalog import Tier
from gateway.flow.life import Flow
from gateway.flow.opening import header
from gateway.flow.passage import Books
from gateway.flow.reading import AbortOnFailure
from gateway.flow.tolls import Bill
from gateway.money import FREE, NanoUSD
from gateway.ports import Kept, Reply
from gateway.reuse.policy import Policy
from gateway.wire.embeddings import Batch, Vectors, asking_for, batch, composed, vectors
from gateway.wire.headers import that_matter
from gateway.wire.reader import Unreadable, look

PATH = "/embeddings"
OK = 200
JSON_HEAD: Headers = ((b"content-type", b"application/json"),)
Send = Callable[[bytes], Awaitable[Reply]]


class Ready:
    """A `Reply` that is all there."""

    __slots__ = ("_body", "headers", "status")

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self._body = body

    async def chunk(self) -> bytes:
        body, self._body = self._body, b""
        return body

    async def read(self, limit: int) -> bytes:
        _ = limit
        return await self.chunk()

    def abort(self) -> None:
        """Nothing is open."""


class Embeddings:
    """Keeps vectors in the reply cache."""

    def __init__(self, flow: Flow) -> None:
        self._rules = flow.rules
        self._parts = flow.parts

    async def reply(self, books: Books, bill: Bill, send: Send) -> Reply:
        """The reply to a request that is passed on; the vectors of an embedding call are kept."""
        wanted = books.wanted
        asked = self._asked(books)
        if asked is None:
            return await send(wanted.body)
        known = await self._known(asked, books)
        missing = [at for at, kept in enumerate(known) if kept is None]
        books.cache = "miss" if missing else "hit"
        if len(missing) == len(known):
            return await self._learnt(asked, books, bill, await send(wanted.body))
        fresh: Vectors | None = None
        if missing:
            inputs = [asked.inputs[at] for at in missing]
            reply = await send(asking_for(wanted.body, inputs))
            body = await self._whole(reply)
            fresh = await self._read(reply, body, len(missing))
            if fresh is None:
                # An error, or nothing we understand; it says nothing of the kept ones.
                return Ready(reply.status, reply.headers, body)
            await self._keep([asked.keys[at] for at in missing], fresh, books, bill)
        return self._composed(known, fresh, books, bill)

    def _asked(self, books: Books) -> Batch | None:
        wanted, wish = books.wanted, books.wanted.cache
        policy = self._rules.caching is not Policy.OFF or wish.force
        embeds = wanted.path == PATH and wanted.method == "POST" and wanted.document is not None
        if not (embeds and policy and (wish.read or wish.write)):
            return None
        version = self._parts.catalog.version
        apart = [text for field in that_matter(wanted.headers) for text in field]
        tenant = wanted.principal.tenant
        return batch(wanted.document or {}, tenant, wish.namespace, version, *apart)

    async def _known(self, asked: Batch, books: Books) -> list[Kept | None]:
        wish = books.wanted.cache
        if not wish.read:
            return [None] * len(asked.keys)
        known = [await self._parts.cache.get(key) for key in asked.keys]
        if wish.max_age is None:
            return known
        oldest = self._parts.clock.wall() - wish.max_age
        return [kept if kept is not None and kept.stored >= oldest else None for kept in known]

    async def _learnt(self, asked: Batch, books: Books, bill: Bill, reply: Reply) -> Reply:
        body = await self._whole(reply)
        fresh = await self._read(reply, body, len(asked.inputs))
        if fresh is not None:
            await self._keep(asked.keys, fresh, books, bill)
        return Ready(reply.status, reply.headers, body)

    async def _whole(self, reply: Reply) -> bytes:
        with AbortOnFailure(reply):
            return await reply.read(self._rules.max_reply)

    async def _read(self, reply: Reply, body: bytes, count: int) -> Vectors | None:
        if reply.status != OK or header(reply.headers, b"content-encoding") not in (
            b"",
            b"identity",
        ):
            return None
        if len(body) > self._rules.thread_over:
            found: Vectors | None = await self._parts.in_thread(_vectors, body, count)
            return found
        return _vectors(body, count)

    async def _keep(
        self, keys: list[bytes] | tuple[bytes, ...], fresh: Vectors, books: Books, bill: Bill
    ) -> None:
        wish = books.wanted.cache
        if not wish.write:
            return
        ttl = self._rules.cache_ttl if wish.ttl is None else wish.ttl
        share = -(-fresh.tokens // len(keys))
        for key, text in zip(keys, fresh.texts, strict=True):
            kept = Kept(
                OK,
                (),
                (text,),
                stream=False,
                tier=Tier.NANO,
                model=fresh.model,
                usage=Usage(share, 0),
                cost=_cost(share, bill),
                score=0.0,
                quality=(0.0, 0.0, 0.0),
                stored=self._parts.clock.wall(),
            )
            await self._parts.cache.put(key, kept, ttl)

    def _composed(
        self, known: list[Kept | None], fresh: Vectors | None, books: Books, bill: Bill
    ) -> Reply:
        more = iter(fresh.texts if fresh is not None else ())
        texts = [next(more) if kept is None else kept.chunks[0] for kept in known]
        remembered = [kept for kept in known if kept is not None]
        paid = fresh.tokens if fresh is not None else 0
        books.usage = Usage(paid, 0)
        books.cost = _cost(paid, bill)
        books.saved = NanoUSD(sum(kept.cost for kept in remembered))
        tokens = paid + sum(kept.usage.prompt for kept in remembered)
        model = fresh.model if fresh is not None else remembered[0].model
        return Ready(OK, JSON_HEAD, composed(texts, model, tokens))


def _vectors(body: bytes, count: int) -> Vectors | None:
    try:
        return vectors(look(body), count)
    except Unreadable:
        return None


def _cost(tokens: int, bill: Bill) -> NanoUSD:
    return FREE if bill.price is None else Usage(tokens, 0).cost(bill.price)
