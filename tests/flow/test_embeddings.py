"""Embeddings are kept input by input; what is missing goes upstream, and nothing else."""

from typing import Any

import orjson
import pytest

from gateway.call import CacheWish
from gateway.flow.parts import Rules
from gateway.ports import Request
from gateway.principal import Principal
from gateway.reuse.policy import Policy
from tests.fakes import FakeReply
from tests.flow.passages import EMBEDDER, Place, reply


def vector(said: object) -> list[float]:
    """A vector that tells its input."""
    return [float(len(orjson.dumps(said))), 0.1]


def embedding(request: Request) -> FakeReply:
    said = orjson.loads(request.body)["input"]
    whole = isinstance(said, str) or isinstance(said[0], int)
    inputs = [said] if whole else said
    data = [
        {"object": "embedding", "index": index, "embedding": vector(one)}
        for index, one in enumerate(inputs)
    ]
    usage = {"prompt_tokens": 3 * len(inputs), "total_tokens": 3 * len(inputs)}
    return reply(orjson.dumps({"object": "list", "data": data, "model": "m-2", "usage": usage}))


def place(policy: Policy = Policy.DEFAULT) -> Place:
    made = Place(flow=Rules(caching=policy))
    made.upstream.answering = embedding
    return made


async def embed(where: Place, said: object, cache: CacheWish = CacheWish(), **more: Any) -> Any:  # noqa: B008 - frozen
    principal = more.pop("principal", Principal())
    document = {"model": EMBEDDER, "input": said, **more}
    got = await where.ask("/embeddings", document, cache=cache, principal=principal)
    return orjson.loads(got)


async def test_the_same_inputs_again_need_no_upstream_and_cost_nothing() -> None:
    where = place()

    first = await embed(where, ["a", "bb"])
    again = await embed(where, ["a", "bb"])

    assert again == first
    assert len(where.upstream.requests) == 1
    assert [one.cache for one in where.recorder.calls] == ["miss", "hit"]
    assert [one.cost for one in where.recorder.calls] == [120, 0]
    assert where.recorder.calls[1].saved == 120


async def test_only_what_is_missing_goes_upstream_and_the_order_stays() -> None:
    where = place()
    await embed(where, "bb")

    got = await embed(where, ["a", "bb", "ccc"])

    assert orjson.loads(where.upstream.requests[1].body)["input"] == ["a", "ccc"]
    assert [one["embedding"] for one in got["data"]] == [vector(x) for x in ("a", "bb", "ccc")]
    assert [one["index"] for one in got["data"]] == [0, 1, 2]
    assert got["usage"] == {"prompt_tokens": 9, "total_tokens": 9}
    assert where.recorder.calls[1].usage.prompt == 6


async def test_token_arrays_are_inputs_too() -> None:
    where = place()

    await embed(where, [1, 2, 3])
    await embed(where, [[1, 2, 3], [4]])

    assert orjson.loads(where.upstream.requests[1].body)["input"] == [[4]]


@pytest.mark.parametrize(
    "other",
    [
        {"dimensions": 8},
        {"encoding_format": "base64"},
        {"model": "text-embedding-3-large"},
        {"principal": Principal(tenant="key:other")},
        {"cache": CacheWish(namespace="mine")},
    ],
)
async def test_what_changes_a_vector_or_its_owner_is_kept_apart(other: dict[str, Any]) -> None:
    where = place()
    await embed(where, "a")

    await embed(where, "a", **other)

    assert len(where.upstream.requests) == 2


async def test_who_asks_changes_no_vector() -> None:
    where = place()
    await embed(where, "a")

    await embed(where, "a", user="u-1")

    assert len(where.upstream.requests) == 1


@pytest.mark.parametrize("odd", [[], [["a"]], ["a", 1], {"a": 1}, None, ["x"] * 300])
async def test_what_cannot_be_split_passes_whole(odd: object) -> None:
    where = place()
    where.upstream.answering = lambda _: reply(b"{}")

    for _ in range(2):
        await embed(where, odd)

    assert len(where.upstream.requests) == 2
    assert orjson.loads(where.upstream.requests[0].body)["input"] == odd


async def test_members_that_nobody_knows_pass_whole() -> None:
    where = place()

    for _ in range(2):
        await embed(where, "a", invented=True)

    assert len(where.upstream.requests) == 2


async def test_the_operator_and_the_caller_may_say_no() -> None:
    off = place(Policy.OFF)
    for _ in range(2):
        await embed(off, "a")
    unread = place()
    for _ in range(2):
        await embed(unread, "a", CacheWish(read=False))

    assert (len(off.upstream.requests), len(unread.upstream.requests)) == (2, 2)


async def test_an_error_for_the_missing_ones_is_the_answer() -> None:
    where = place()
    await embed(where, "a")
    where.upstream.answering = lambda _: reply(b'{"error":{}}', 400)

    assert await embed(where, ["a", "b"]) == {"error": {}}
    assert where.recorder.calls[1].cost == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"no json",
        b"[]",
        b'{"data":[]}',
        b'{"data":[{"index":5,"embedding":[1]}],"usage":{"prompt_tokens":1}}',
    ],
)
async def test_a_reply_that_is_none_of_ours_passes_and_is_not_kept(answer: bytes) -> None:
    where = place()
    where.upstream.answering = lambda _: reply(answer)
    said = {"model": EMBEDDER, "input": "a"}

    assert [await where.ask("/embeddings", said) for _ in range(2)] == [answer] * 2
    assert len(where.upstream.requests) == 2


async def test_kept_vectors_grow_old() -> None:
    where = place()
    await embed(where, "a")
    where.clock.at += 20

    await embed(where, "a", CacheWish(max_age=10))

    assert len(where.upstream.requests) == 2
