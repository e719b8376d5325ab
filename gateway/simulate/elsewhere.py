"""The endpoints beside chat and responses: which part answers what.

Everything is made at once and in full; only legacy completions stream. The same question gets the
same answer; what is stored gets an id of its own each time.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import orjson

from gateway.call import Headers
from gateway.simulate import replies, shelf
from gateway.simulate.answers import identifier, roll
from gateway.simulate.asking import read_json
from gateway.simulate.batches import Answers, Batches
from gateway.simulate.forms import read_form
from gateway.simulate.kept import COMPLETIONS, FILES, Keeper, Wish, messages_of
from gateway.simulate.legacy import Completion
from gateway.simulate.made import Made, Maker
from gateway.simulate.pieces import Meter
from gateway.simulate.refusals import Refusal, refuse_type
from gateway.simulate.script import EVENT_STREAM, Script, Step, json_script, sized
from gateway.simulate.upstream import Simulation

# Bodies larger than this are read and answered in a thread: the loop serves others meanwhile.
ANSWERED_HERE = 4 * 1024
MOST_FIELDS = 16


class Incoming(NamedTuple):
    """A request, its body read; `path` is below `/v1`."""

    method: str
    path: str
    authorization: bytes
    body: bytes
    kind: bytes = b""
    query: bytes = b""


class Elsewhere:
    """Answers what is neither chat nor responses, and keeps what is stored there."""

    def __init__(self, simulation: Simulation, meter: Meter, answers: Answers) -> None:
        self._simulation = simulation
        self._numbers = count()
        self._shelf = shelf.Shelf()
        self._meter = meter
        self._maker = Maker(self._meter, simulation.seed)
        self._keeper = Keeper(self._shelf, self._name)
        self._batches = Batches(self._shelf, self._keeper, self._name, answers)
        maker = self._maker
        self._made: Mapping[str, Callable[[Mapping[str, Any], int], Made]] = {
            "/embeddings": maker.embeddings,
            "/moderations": maker.moderations,
            "/images/generations": maker.images,
            "/audio/speech": maker.speech,
        }

    def storing(self, asked: Mapping[str, Any]) -> "Storing":
        """The words of a chat completion that is to be stored."""
        return Storing(self._shelf, asked)

    async def script(self, incoming: Incoming, head: Headers) -> Script:
        """The reply to a request.

        Raises:
            Refusal: as OpenAI would.
        """
        now = int(self._simulation.clock.wall())
        match incoming.method, *incoming.path.split("/")[1:]:
            case "POST", "completions":
                return self._completed(_object(incoming.body), head, now)
            case "GET", "files", name, "content":
                content = self._shelf.content(FILES, name)
                return _plain(Made(content, b"application/octet-stream"), head)
            case "POST", "images" | "audio" | "embeddings" | "moderations", *_:
                return await self._new(incoming, head, now)
        return json_script(200, head, await self._stored(incoming, now))

    async def _stored(self, incoming: Incoming, now: int) -> dict[str, Any]:
        match incoming.method, *incoming.path.split("/")[1:]:
            case "POST", "files":
                return self._keeper.upload(read_form(incoming.kind, incoming.body), now)
            case "POST", "batches":
                return await self._batches.make(_object(incoming.body), now)
            case "POST", "batches", name, "cancel":
                return self._batches.cancel(name)
            case "GET", "chat", "completions", name, "messages":
                stored = self._shelf.find(COMPLETIONS, name)
                return messages_of(stored, self._shelf.content(COMPLETIONS, name))
        asked = _object(incoming.body) if incoming.body else {}
        wish = Wish(incoming.method, incoming.path, asked, _page(incoming.query), now)
        return self._keeper.answer(wish)

    async def _new(self, incoming: Incoming, head: Headers, now: int) -> Script:
        def made() -> Made | None:
            if incoming.path in ("/audio/transcriptions", "/audio/translations"):
                return self._maker.transcript(read_form(incoming.kind, incoming.body))
            if incoming.path in ("/images/edits", "/images/variations"):
                return self._edited(incoming, now)
            make = self._made.get(incoming.path)
            return None if make is None else make(_object(incoming.body), now)

        large = len(incoming.body) > ANSWERED_HERE
        reply = await asyncio.to_thread(made) if large else made()
        if reply is None:
            raise Refusal(404, f"Invalid URL ({incoming.method} {incoming.path[:200]})")
        return _plain(reply, head)

    def _edited(self, incoming: Incoming, now: int) -> Made:
        form = read_form(incoming.kind, incoming.body)
        form.file("image", "image[]")
        asked: dict[str, Any] = {"prompt": "a variation", **form.fields}
        if asked.get("n", "").isdecimal():
            asked["n"] = int(asked["n"][:9])
        return self._maker.images(asked, now)

    def _completed(self, asked: Mapping[str, Any], head: Headers, now: int) -> Script:
        done = Completion(asked, self._meter, self._simulation.seed, now)
        if done.stream:
            return Script(200, (EVENT_STREAM, *head), done.steps(), stream=True)
        return json_script(200, head, done.document())

    def _name(self, prefix: str) -> str:
        number = b"%d" % next(self._numbers)
        return identifier(prefix, 24, roll(self._simulation.seed, number, "stored"))


class Storing:
    """Words a chat completion as ever, and stores it."""

    __slots__ = ("_asked", "_shelf")

    def __init__(self, kept: shelf.Shelf, asked: Mapping[str, Any]) -> None:
        self._shelf = kept
        self._asked = asked

    def document(self, sending: replies.Sending) -> dict[str, Any]:
        """A reply that is not streamed."""
        said = replies.document(sending)
        stored = {**said, "metadata": self._asked.get("metadata") or {}}
        content = orjson.dumps({"messages": self._asked["messages"]})
        self._shelf.put(COMPLETIONS, stored, content)
        return said

    def stream(self, sending: replies.Sending, waits: Iterator[float]) -> Iterator[Step]:
        """A reply that is."""
        self.document(sending)
        return replies.stream(sending, waits)


def _object(body: bytes) -> dict[str, Any]:
    document = read_json(body)
    if not isinstance(document, dict):
        refuse_type("body", "an object", document)
    return document


def _page(query: bytes) -> shelf.Page:
    if not query:
        return shelf.Page()
    try:
        said = parse_qs(query.decode("latin-1"), max_num_fields=MOST_FIELDS)
    except ValueError:
        return shelf.Page()
    limit = said.get("limit", [""])[0]
    limit = limit if limit.isdecimal() and len(limit) < 6 else ""
    wanted = int(limit) if limit else shelf.LISTED
    return shelf.Page(
        max(1, min(wanted, shelf.MOST_LISTED)),
        said.get("after", [""])[0],
        said.get("order", ["desc"])[0] != "asc",
    )


def _plain(made: Made, head: Headers) -> Script:
    fields = sized(((b"content-type", made.kind), *head), made.body)
    return Script(200, fields, (Step(0.0, made.body),))
