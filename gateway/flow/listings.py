"""Lists for a key: of what an account stores, only what the key's tenant has made.

All keys of a gateway share its accounts, so an upstream's list holds everybody's. It is read page
by page, and the caller's own entries are given on in their order, as one page of the size it asked
for. Where several accounts serve, they are read one after the other, the usual one first.

Refused: reading on without end. A list in which too many entries of others come before the caller's
is not answered.
"""

from collections.abc import Awaitable, Callable

from gateway.call import Headers
from gateway.catalog import Deployment
from gateway.errors import PermissionDenied
from gateway.flow.embeddings import Ready
from gateway.flow.homes import LISTING, Homes
from gateway.flow.opening import header
from gateway.flow.passage import Wanted
from gateway.flow.reading import AbortOnFailure
from gateway.ports import Reply
from gateway.wire.encoding import decoded
from gateway.wire.listed import Listing, Page, composed, listing, page

OK = 200
# Servers of another kind lack some of these.
LACKING = frozenset({404, 405, 501})
# Ten thousand entries; each page is a request that costs nothing.
MOST_PAGES = 100
REMADE = frozenset({b"content-encoding", b"content-length", b"etag"})
TOO_MANY = (
    "Too much of what other keys have stored comes before what is yours in this list. Ask for your "
    "own by its id."
)
Send = Callable[[Deployment, str], Awaitable[Reply]]
Entry = tuple[str, bytes]


class Listings:
    """Makes tenants' lists of at most so many `pages`, each of at most `most` bytes."""

    def __init__(self, homes: Homes, most: int, pages: int = MOST_PAGES) -> None:
        self._homes = homes
        self._most = most
        self._pages = pages

    def asked(self, wanted: Wanted) -> Listing | None:
        """The list that must be made for a caller, if it asks for one.

        Raises:
            InvalidValue: it asks for it in a way that cannot be answered.
        """
        if not self._homes.strict(wanted):
            return None
        return listing(wanted.method, wanted.path, wanted.target.partition("?")[2])

    async def own(self, wanted: Wanted, asked: Listing, send: Send) -> tuple[Deployment, Reply]:
        """The caller's own part of a list, or an upstream's refusal of it, with where that is.

        Raises:
            ObjectNotFound: it refers to what is not the caller's.
            PermissionDenied: what comes is no list, or one too long to look through.
        """
        await self._homes.check(wanted)
        places, after = await self._homes.places(wanted, asked.after), asked.after
        kept: dict[str, bytes] = {}
        read: list[tuple[Headers, Page]] = []
        for _ in range(self._pages):
            reply = await send(place := places[0], asked.target(after))
            follows = ""
            if reply.status == OK:
                found = await self._page(reply)
                read.append((reply.headers, found))
                # A server that knows no pages gives the same one again.
                kept |= await self._own(wanted, found, place)
                follows = found.follows(after)
            elif reply.status in LACKING and (read or len(places) > 1):
                reply.abort()
            else:
                return place, reply
            after, places = follows, places if follows else places[1:]
            if len(kept) > asked.limit or not places:
                break
        if places and not kept:
            raise PermissionDenied(TOO_MANY)
        more = bool(places) or len(kept) > asked.limit
        return place, _made(read, list(kept.items())[: asked.limit], more=more)

    async def _page(self, reply: Reply) -> Page:
        with AbortOnFailure(reply):
            body = await reply.read(self._most)
            found = page(decoded(body, header(reply.headers, b"content-encoding"), self._most))
        if found is None:
            raise PermissionDenied(LISTING)
        return found

    async def _own(self, wanted: Wanted, found: Page, place: Deployment) -> dict[str, bytes]:
        mine = await self._homes.own(wanted, found.ids)
        kept = {}
        for entry, name, text, own in zip(found.entries, found.ids, found.texts, mine, strict=True):
            if own:
                kept[name] = text
                await self._homes.made(wanted, entry, place)
        return kept


def _made(read: list[tuple[Headers, Page]], kept: list[Entry], *, more: bool) -> Ready:
    fields, last = read[-1]
    same = len(read) == 1 and len(kept) == len(last.entries) and more == last.more
    body = last.body if same else composed(last, kept, more=more)
    kept_fields = [field for field in fields if field[0] not in REMADE]
    return Ready(OK, (*kept_fields, (b"content-length", b"%d" % len(body))), body)
