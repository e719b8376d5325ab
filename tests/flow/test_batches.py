"""What a batch cost is charged once, and a form's model is known by the time its reply is in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.call import NO_USAGE
from gateway.catalog import Catalog
from gateway.flow.passage import PassRules
from gateway.money import NanoUSD
from gateway.prices import Price
from tests.fakes import JSON_HEAD, FakeReply, catalog
from tests.flow.passages import LIMITED, QUOTA, Place, reply

USUAL = Price(NanoUSD(2_000), NanoUSD(500), NanoUSD(8_000))
HALF = replace(USUAL, services=(("batch", USUAL.times(500)),))
WHERE: Catalog = replace(catalog(), prices={"gpt-x": HALF, "gpt-y": USUAL})
DONE = {
    "id": "batch_abc",
    "object": "batch",
    "status": "completed",
    "model": "gpt-x-2026-01-01",
    "usage": {
        "input_tokens": 1_000,
        "input_tokens_details": {"cached_tokens": 400},
        "output_tokens": 100,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1_100,
    },
}
COST = (600 * 2_000 + 400 * 500 + 100 * 8_000) // 2


def place(said: Mapping[str, Any]) -> Place:
    return Place(
        reply(orjson.dumps(said)), where=WHERE, rules=PassRules(unpriced=True, unknown=True)
    )


def costs(scene: Place) -> list[int]:
    return [charge.cost for _, charge in scene.ledger.charges]


async def test_a_batch_is_charged_once_at_the_price_of_batches() -> None:
    scene = place(DONE)

    for _ in range(3):
        await scene.ask("/batches/batch_abc", method="GET", principal=LIMITED)

    assert [cost for cost in costs(scene) if cost] == [COST]
    paid = next((grant, charge) for grant, charge in scene.ledger.charges if charge.cost)
    assert paid[0] is not None
    assert paid[0].claim.id == "batch:batch_abc"
    assert paid[0].claim.levels == LIMITED.levels
    assert paid[1].account.model == "gpt-x"
    assert [ended.cost for ended in scene.recorder.calls] == [COST, 0, 0]
    assert [ended.usage.prompt for ended in scene.recorder.calls] == [1_000, 0, 0]


async def test_asking_is_not_charged_what_the_batch_took() -> None:
    scene = place(DONE)

    await scene.ask("/batches/batch_abc", method="GET", principal=QUOTA)

    own = [charge for grant, charge in scene.ledger.charges if grant and grant.backed]
    assert [(charge.cost, charge.usage) for charge in own] == [(0, NO_USAGE)]


@pytest.mark.parametrize(
    "change",
    [
        {"status": "in_progress"},
        {"usage": None},
        {"usage": {"input_tokens": 0, "output_tokens": 0}},
        {"model": "gpt-unheard-of"},
        {"model": None},
        {"object": "list"},
        {"id": 7},
        {"id": "x" * 201},
    ],
)
async def test_what_is_not_over_or_not_known_is_not_charged(change: dict[str, Any]) -> None:
    scene = place({**DONE, **change})

    await scene.ask("/batches/batch_abc", method="GET", principal=LIMITED)

    assert not any(costs(scene))
    assert scene.recorder.calls[0].usage is NO_USAGE


async def test_a_model_without_a_price_of_batches_is_charged_as_usual() -> None:
    scene = place({**DONE, "model": "gpt-y"})

    await scene.ask("/batches/batch_abc", method="GET")

    assert [cost for cost in costs(scene) if cost] == [2 * COST]


class Form:
    """A feed of two pieces."""

    length: int | None = None

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)

    async def chunk(self) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


async def test_a_form_is_charged_at_the_price_of_the_model_it_names() -> None:
    used = {"text": "hi", "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 45}}
    scene = place(used)

    async def taken() -> None:
        feed = scene.upstream.requests[-1].feed
        while feed is not None and await feed.chunk():
            pass

    scene.answer = FakeReply(200, JSON_HEAD, (taken, orjson.dumps(used)))
    feed = Form(
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n', b"gpt-y\r\n--b--\r\n"
    )
    headers = ((b"content-type", b"multipart/form-data; boundary=b"),)

    await scene.ask("/audio/transcriptions", feed=feed, headers=headers)

    ended = scene.recorder.calls[0]
    assert (ended.model, ended.cost) == ("gpt-y", 14 * 2_000 + 45 * 8_000)


async def test_sound_that_tells_no_use_is_not_guessed_by_its_bytes() -> None:
    scene = place({"sound": "x" * 4_000})

    await scene.ask("/audio/speech", {"model": "gpt-y", "input": "hi"})

    assert scene.recorder.calls[0].cost == 0
