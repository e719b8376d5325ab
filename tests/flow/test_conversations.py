"""Long conversations do not flap: one move up at most, none down that a cached prefix makes dearer.

Nothing is assumed of the classifier: it reads what is said. The upstream bills as OpenAI does, with
an exact prefix of an earlier prompt on the same model cached.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import orjson
import pytest

from gateway.catalog import Catalog, Model, Tier
from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.ended import Ended
from gateway.money import NanoUSD
from gateway.ports import Request
from gateway.simulate.prefixes import PrefixCache
from tests.fakes import MODELS, NANO, FakeReply, catalog, model, price
from tests.flow.replies import whole
from tests.http.edge import edge, post

TURNS = 50
SECONDS_BETWEEN = 20.0
COMPLETION = 120
# Here the next smaller tier costs more cold than the larger one warm.
STEEP = {
    Tier.NANO: NANO,
    Tier.MINI: model("mini", price("0.40", "0.04", "1.60")),
    Tier.FULL: model("full", price("0.80", "0.08", "3.20")),
}
FAMILIES = {"as published": MODELS, "caches cheap": STEEP}
EASY = (
    "Thanks! And what is the capital of France?",
    "Say that again in one word.",
    "Translate 'good morning' into Spanish.",
    "OK.",
    "Is this sentence positive or negative: I love it?",
)
HARD = (
    "Prove that there are infinitely many primes congruent to 3 modulo 4, then generalise.",
    "Find the race in this queue, prove the fix:\n```c\nwhile(!cas(&q->tail,t,n)){t=q->tail;}\n```",
    "Derive the closed form of the recurrence T(n)=3T(n/4)+n log n and justify every step.",
    "Refactor this module into ports and adapters, keep behaviour, explain each trade-off.",
)
SYSTEM = "You are the assistant of a bookshop. " + "Answer politely and briefly. " * 250
TEXT = "A reply of some length that is part of what comes next. " * 10


@dataclass
class Shop:
    """An upstream that bills what it is sent."""

    clock: Any = None
    prefixes: PrefixCache = field(default_factory=PrefixCache)

    def __call__(self, request: Request) -> FakeReply:
        document = orjson.loads(request.body)
        chat = "messages" in document
        said = {"messages": document["messages" if chat else "input"]}
        tokens = len(orjson.dumps(said)) // 4
        name = request.deployment.model.name
        cached = self.prefixes.cached(name, said, tokens, self.clock.wall())
        if chat:
            usage = {"prompt_tokens": tokens, "completion_tokens": COMPLETION}
            details = {"prompt_tokens_details": {"cached_tokens": cached}}
            reply: dict[str, Any] = {
                "choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}]
            }
        else:
            usage = {"input_tokens": tokens, "output_tokens": COMPLETION}
            details = {"input_tokens_details": {"cached_tokens": cached}}
            reply = {"object": "response", "output": []}
        return whole(orjson.dumps({**reply, "usage": {**usage, **details}}))


def written(api: str, said: list[dict[str, Any]]) -> bytes:
    """The call of a turn on an API; both say all that was said before."""
    member = "messages" if api == "chat/completions" else "input"
    return post(orjson.dumps({"model": "auto", member: said}), path=f"/v1/{api}")


@pytest.fixture(scope="module")
def look() -> Assessor:
    return Assessor(Tokenizer(), Difficulty.load())


async def held(where: Catalog, look: Assessor, api: str, said: list[str]) -> list[Ended]:
    """A conversation from its beginning to its end, as the books have it."""
    shop = Shop()
    messages: list[dict[str, Any]] = [{"role": "system", "content": SYSTEM}]
    async with edge(shop, where=where, assessor=look) as e:
        shop.clock = e.clock
        wire = await e.dial()
        for turn, text in enumerate(said):
            messages.append({"role": "user", "content": text})
            await wire.ask(written(api, messages))
            await e.recorder.after(turn + 1)
            messages.append({"role": "assistant", "content": TEXT})
            e.clock.at += SECONDS_BETWEEN
        return e.recorder.calls


def questions(begins_hard: bool, seed: int) -> list[str]:
    dice = Random(seed)  # noqa: S311 - no secret
    shares = [float(begins_hard)] * 2 + [0.05 if begins_hard else 0.25] * (TURNS - 2)
    return [dice.choice(HARD if dice.random() < share else EASY) for share in shares]


def had_it_stayed(model: Model, last: Ended, call: Ended) -> NanoUSD:
    """What a call had cost on the model of the last one, all of whose prompt is cached there."""
    return call.usage._replace(cached=last.usage.prompt // 128 * 128).cost(model.price)


def tiers(calls: list[Ended]) -> list[Tier]:
    return [call.tier for call in calls if call.tier is not None]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("begins_hard", [False, True], ids=["grows hard", "begins hard"])
@pytest.mark.parametrize("family", FAMILIES)
async def test_a_conversation_does_not_flap_on_either_api(
    look: Assessor, family: str, begins_hard: bool, seed: int
) -> None:
    models, said = FAMILIES[family], questions(begins_hard, seed)

    calls = await held(catalog(models), look, "chat/completions", said)
    again = await held(catalog(models), look, "responses", said)

    assert [call.outcome for call in calls] == ["ok"] * TURNS
    assert tiers(calls) == tiers(again)
    pairs = list(pairwise(zip(tiers(calls), calls, strict=True)))
    assert sum(now > before for (before, _), (now, _) in pairs) <= 1
    for (before, last), (now, call) in pairs:
        assert now >= before or call.cost < had_it_stayed(models[before], last, call)
