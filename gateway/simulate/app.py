"""The simulated upstream as an ASGI application.

    POST /v1/chat/completions          streamed or not
    POST /v1/responses                 streamed or not
    GET, DELETE /v1/responses/{id}     those stored
    POST /v1/responses/input_tokens    their count
    POST /v1/responses/compact         a conversation made shorter
    GET  /v1/models, /v1/models/{id}   with `shutdown_date`
    embeddings, completions, moderations, images, audio, files, batches, conversations, vector
    stores, stored chat completions    (`elsewhere`)
    GET, POST, DELETE /simulate/faults things that go wrong on demand (`faults`)

All of them also without `/v1`; anything else is OpenAI's 404. Only sending happens here; what is
sent is decided in `upstream`. It closes connections in mid-reply on purpose, so the server that
runs it will log complaints when faults are played.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from gateway.call import Headers
from gateway.simulate import replies, responses, responses_asking
from gateway.simulate.asking import Ask, read, read_json
from gateway.simulate.compacting import Compacting
from gateway.simulate.elsewhere import Elsewhere, Incoming
from gateway.simulate.refusals import Refusal
from gateway.simulate.script import Ending, Script, json_script
from gateway.simulate.upstream import SimulatedUpstream, Simulation, Wording

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[object]]

MOST_BYTES = 64 * 1024 * 1024
# Prompts larger than this are counted in a thread: the loop serves others meanwhile.
COUNTED_HERE = 64 * 1024
# Not None, and sent before any head: servers answer that by closing the connection.
DROPPED = "dropped on purpose"


def create(simulation: Simulation) -> Asgi:
    """The application; it holds the simulation's state."""
    return _Application(simulation)


class _Application:
    """Reads requests, plays scripts."""

    def __init__(self, simulation: Simulation) -> None:
        self._upstream = SimulatedUpstream(simulation)
        self._elsewhere = Elsewhere(simulation, self._upstream.meter, self._answered)
        self._sleep = simulation.sleep
        self._speed = simulation.speed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> object:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return None
        if scope["type"] != "http":
            return None
        body = await _body(receive)
        if body is None:
            return None
        fields = dict(scope["headers"])
        incoming = Incoming(
            scope["method"],
            scope["path"].removeprefix("/v1").rstrip("/") or "/",
            fields.get(b"authorization", b""),
            body,
            fields.get(b"content-type", b""),
            scope.get("query_string", b""),
        )
        script = await self._script(incoming)
        if script.ending is Ending.DROPPED:
            return DROPPED
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(self._play(script, send))
            leaving = group.create_task(_left(receive, playing))
            playing.add_done_callback(lambda _: leaving.cancel())
        return None

    async def _script(self, incoming: Incoming) -> Script:
        head = self._upstream.head()
        try:
            self._upstream.authorize(incoming.authorization)
            return await self._routed(incoming, head)
        except Refusal as refusal:
            return self._upstream.refused(refusal, head)

    async def _routed(self, incoming: Incoming, head: Headers) -> Script:
        if len(incoming.body) > MOST_BYTES:
            raise Refusal(413, "The request is too large.", code="request_too_large")
        match incoming.method, incoming.path:
            case "POST", "/chat/completions":
                return await self._chat(incoming.body, head)
            case "POST", "/responses":
                return await self._respond(incoming.body, head)
            case "POST", "/responses/compact":
                return await self._respond(incoming.body, head, compact=True)
            case "POST", "/responses/input_tokens":
                return await self._counted(incoming.body, head)
            case "GET" | "POST" | "DELETE" as method, "/simulate/faults":
                return self._faults(method, incoming.body, head)
        return self._known(incoming, head) or await self._elsewhere.script(incoming, head)

    def _known(self, incoming: Incoming, head: Headers) -> Script | None:
        """Stored responses and the models, if it is for these."""
        match incoming.method, incoming.path:
            case "GET" | "DELETE" as method, path if path.startswith("/responses/"):
                return self._stored(method, path.removeprefix("/responses/"), head)
            case "GET", "/models":
                return self._upstream.models(head)
            case "GET", path if path.startswith("/models/"):
                return self._upstream.model(path.removeprefix("/models/"), head)
        return None

    async def _answered(self, path: str, body: bytes) -> tuple[int, Any]:
        """What a line of a batch is answered with, at no time."""
        head = self._upstream.head()
        try:
            script = await self._routed(Incoming("POST", path, b"", body), head)
        except Refusal as refusal:
            script = self._upstream.refused(refusal, head)
        try:
            told = orjson.loads(b"".join(step.data for step in script.steps))
        except orjson.JSONDecodeError:
            # A fault that was asked for has broken the reply.
            return 500, Refusal(500, "The reply is broken.", kind="server_error").document()
        return script.status, told

    async def _chat(self, body: bytes, head: Headers) -> Script:
        ask = read(body, self._upstream.simulation.catalog)
        prompt = await self._count(ask, len(body))
        wording: Wording = replies
        if ask.document.get("store") is True:
            wording = self._elsewhere.storing(ask.document)
        try:
            return self._upstream.chat(ask, prompt, head, wording)
        except Refusal as refusal:
            return self._upstream.refused(refusal, head, ask.model.name)

    async def _respond(self, body: bytes, head: Headers, *, compact: bool = False) -> Script:
        memory = self._upstream.memory
        asked = responses_asking.read(body, self._upstream.simulation.catalog, memory)
        # An earlier response's conversation counts too, however short the body is.
        prompt = await self._count(asked.ask, len(orjson.dumps(asked.said)))
        wording: Wording = responses.Responding(asked, memory)
        if compact:
            wording = Compacting(asked)
        try:
            return self._upstream.chat(asked.ask, prompt, head, wording)
        except Refusal as refusal:
            worded = responses_asking.translated(refusal)
            return self._upstream.refused(worded, head, asked.ask.model.name)

    async def _counted(self, body: bytes, head: Headers) -> Script:
        upstream = self._upstream
        asked = responses_asking.read(body, upstream.simulation.catalog, upstream.memory)
        tokens = await self._count(asked.ask, len(body))
        told = {"object": "response.input_tokens", "input_tokens": tokens}
        return json_script(200, head, told)

    async def _count(self, ask: Ask, size: int) -> int:
        count = self._upstream.simulation.count
        if size > COUNTED_HERE:
            return await asyncio.to_thread(count, ask.document)
        return count(ask.document)

    def _stored(self, method: str, name: str, head: Headers) -> Script:
        memory = self._upstream.memory
        found = memory.delete(name) if method == "DELETE" else memory.fetch(name)
        return json_script(200, head, found)

    def _faults(self, method: str, body: bytes, head: Headers) -> Script:
        rules = self._upstream.rules
        if method == "POST":
            rules.add(read_json(body))
        elif method == "DELETE":
            rules.lift()
        return json_script(200, head, rules.document())

    async def _play(self, script: Script, send: Send) -> None:
        await self._wait(script.before)
        if script.hold:
            await self._sleep(script.hold)
        await send(
            {
                "type": "http.response.start",
                "status": script.status,
                "headers": list(script.headers),
            }
        )
        for step in script.steps:
            await self._wait(step.delay)
            await send({"type": "http.response.body", "body": step.data, "more_body": True})
        if script.ending is Ending.WHOLE:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif script.ending is Ending.STALLED:
            # Until the caller hangs up, which cancels this.
            await asyncio.Event().wait()

    async def _wait(self, seconds: float) -> None:
        if seconds * self._speed > 0:
            await self._sleep(seconds * self._speed)


async def _left(receive: Receive, playing: asyncio.Task[None]) -> None:
    """Stop playing when the caller hangs up, as a real upstream stops generating."""
    # The body is read, so nothing else can come.
    await receive()
    playing.cancel()


async def _body(receive: Receive) -> bytes | None:
    """The whole body, a little more than is allowed of one too large, or None: caller gone."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if size <= MOST_BYTES:
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _live(receive: Receive, send: Send) -> None:
    """Nothing to start or stop."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
