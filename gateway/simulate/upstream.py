"""What a call gets from the simulated upstream, and the little it remembers between calls.

Remembered: cached prefixes, rate limits, fault rules, stored responses, how many requests came.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from hashlib import blake2b, sha256
from hmac import compare_digest
from itertools import islice
from typing import Any, Protocol

from gateway.call import Headers
from gateway.catalog import Catalog, Model, Secret
from gateway.ports import Clock
from gateway.simulate import faults, pace, replies
from gateway.simulate.answers import Answer, answer, roll
from gateway.simulate.asking import Ask, texts
from gateway.simulate.limits import Limiter
from gateway.simulate.pieces import Counter, Meter
from gateway.simulate.prefixes import PrefixCache
from gateway.simulate.refusals import Refusal, refuse_model
from gateway.simulate.responses_memory import Memory
from gateway.simulate.rules import Rules
from gateway.simulate.script import EVENT_STREAM, Script, Step, json_script

NO_KEY = Secret("")
# For models without a knowledge cut-off in the catalog: the API's first year.
SOME_DAY = 1_600_000_000
IDENTITY: Headers = (
    (b"x-tiergate-simulated", b"1"),
    (b"openai-version", b"2020-10-01"),
    (b"openai-organization", b"org-simulated"),
    (b"openai-project", b"proj_simulated"),
    (b"access-control-expose-headers", b"X-Request-ID"),
)


@dataclass(frozen=True, slots=True)
class Simulation:
    """How to simulate.

    `speed` scales the published delays (1: as published, 0: no waiting); `count` gives a chat
    request's prompt tokens; `key`, if there is one, is asked of every caller; the limits are per
    model and minute (0: none).
    """

    catalog: Catalog
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]
    seed: int
    speed: float
    count: Counter
    key: Secret = NO_KEY
    requests_per_minute: int = 0
    tokens_per_minute: int = 0


class Wording(Protocol):
    """How an API puts an answer: `replies` for chat, `responses.Responding` for `/responses`."""

    def document(self, sending: replies.Sending, /) -> Mapping[str, Any]:
        """A reply that is not streamed."""

    def stream(self, sending: replies.Sending, waits: Iterator[float], /) -> Iterator[Step]:
        """A reply that is."""


class SimulatedUpstream:
    """Answers calls; `rules` are faults asked for, `memory` stored responses, `meter` counts."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.rules = Rules(roll(simulation.seed, b"", "rules"))
        self.memory = Memory()
        self.meter = Meter(simulation.count)
        self._prefixes = PrefixCache()
        self._limiter = Limiter(
            simulation.requests_per_minute,
            simulation.tokens_per_minute,
            simulation.clock.now,
        )
        self._requests = 0

    def head(self) -> Headers:
        """The headers of every reply, with an id no other reply has."""
        self._requests += 1
        number = b"%d %d" % (self.simulation.seed, self._requests)
        request_id = blake2b(number, digest_size=16).hexdigest()
        return (*IDENTITY, (b"x-request-id", f"req_{request_id}".encode()))

    def authorize(self, authorization: bytes) -> None:
        """Check the caller's key, if one is configured.

        Raises:
            Refusal: 401.
        """
        expected = self.simulation.key
        if not expected:
            return
        scheme, _, offered = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not offered.strip():
            raise Refusal(401, "You didn't provide an API key.")
        digests = (sha256(each).digest() for each in (offered.strip(), expected.reveal().encode()))
        if not compare_digest(*digests):
            raise Refusal(401, "Incorrect API key provided.", code="invalid_api_key")

    def chat(self, ask: Ask, prompt: int, head: Headers, wording: Wording = replies) -> Script:
        """The reply to a request whose prompt is so many tokens, faults included.

        Raises:
            Refusal: the prompt is too long, or a rate limit is reached.
        """
        model = ask.model
        if prompt > model.context_window:
            message = (
                f"This model's maximum context length is {model.context_window} tokens. However, "
                f"your messages resulted in {prompt} tokens. "
                "Please reduce the length of the messages."
            )
            raise Refusal(400, message, param="messages", code="context_length_exceeded")
        reserved = ask.limit if ask.limit < model.max_output else 0
        self._limiter.take(model.name, prompt + reserved)
        script = self._reply(ask, prompt, (*head, *self._limiter.headers(model.name)), wording)
        opening = next(texts(ask.document["messages"], "user"), "")
        fault = faults.marked(opening, model.name) or self.rules.strike(model.name)
        return script if fault is None else faults.apply(fault, script)

    def _reply(self, ask: Ask, prompt: int, head: Headers, wording: Wording) -> Script:
        simulation = self.simulation
        model = ask.model.name
        now = simulation.clock.now()
        cached = self._prefixes.cached(model, ask.document, prompt, now)
        said = answer(ask, self.meter, simulation.seed)
        timing = roll(simulation.seed, ask.fingerprint, model)
        before = pace.first_token(ask.tier, prompt, cached, timing)
        waits = pace.gaps(ask.tier, timing)
        before += sum(islice(waits, said.reasoning))
        dice = roll(simulation.seed, ask.fingerprint, "details")
        created = int(simulation.clock.wall())
        sending = replies.Sending(ask, said, prompt, cached, created, dice)
        if ask.stream:
            headers = (EVENT_STREAM, *head, _processing(before))
            steps = wording.stream(sending, waits)
            return Script(200, headers, steps, stream=True, before=before)
        before += sum(islice(waits, _longest(said)))
        return json_script(200, (*head, _processing(before)), wording.document(sending), before)

    def refused(self, refusal: Refusal, head: Headers, model: str | None = None) -> Script:
        """The reply that refuses a request; with a model, its rate limits beside it."""
        if model is not None:
            head = (*head, *self._limiter.headers(model))
        if refusal.wait is not None:
            head = (*head, *_retry_after(refusal.wait))
        return json_script(refusal.status, (*head, _processing(0.0)), refusal.document())

    def models(self, head: Headers) -> Script:
        """The list of models."""
        data = [_described(model) for _, model in self.simulation.catalog.models()]
        return json_script(200, head, {"object": "list", "data": data})

    def model(self, name: str, head: Headers) -> Script:
        """One model.

        Raises:
            Refusal: 404.
        """
        known = self.simulation.catalog.by_model.get(name)
        if known is None:
            refuse_model(name[:100])
        return json_script(200, head, _described(known[1]))


def _longest(said: Answer) -> int:
    """Choices are written side by side, so the longest decides."""
    return max(choice.tokens for choice in said.choices)


def _processing(seconds: float) -> tuple[bytes, bytes]:
    return b"openai-processing-ms", b"%d" % max(round(seconds * 1000), 1)


def _retry_after(seconds: float) -> Headers:
    milliseconds = max(int(seconds * 1000), 1)
    return (
        (b"retry-after", b"%d" % -(-milliseconds // 1000)),
        (b"retry-after-ms", b"%d" % milliseconds),
    )


def _described(model: Model) -> Mapping[str, Any]:
    day = model.knowledge_cutoff
    created = int(datetime.combine(day, time(), UTC).timestamp()) if day else SOME_DAY
    return {
        "id": model.name,
        "object": "model",
        "created": created,
        "owned_by": "simulated",
        "shutdown_date": model.shutdown.isoformat() if model.shutdown else None,
    }
