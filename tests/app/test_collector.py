"""A call that is over leaves nothing behind that only the garbage collector could free.

What a call held (its body, the pieces of its stream) is large, and the collector comes seldom.
"""

import gc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from gateway.clock import SystemClock
from tests.app.serving import FAST, Served, chat, served

Case = Callable[[Served], Awaitable[None]]
RESPONSE = {"model": "auto", "input": "Name a colour."}
MESSAGE = {
    "model": "auto",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Name a colour."}],
}


@contextmanager
def nothing_left(behind: str) -> Iterator[None]:
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield
        gc.collect()
        kinds = (type(each) for each in gc.garbage)
        ours = Counter(
            f"{kind.__module__}.{kind.__qualname__}"
            for kind in kinds
            if kind.__module__.startswith("gateway.")
            and not kind.__module__.startswith("gateway.simulate")
        )
        assert not ours, f"behind: {behind}"
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def posts(path: str, body: dict[str, object], **fields: str) -> Case:
    async def case(gateway: Served) -> None:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        await gateway.http.post(path, json=body, headers=headers)

    return case


async def leaves_early(gateway: Served) -> None:
    body = chat("Count to a thousand.", stream=True)
    async with gateway.http.stream("POST", "/v1/chat/completions", json=body) as reply:
        async for _ in reply.aiter_raw():
            break


async def repeats(gateway: Served) -> None:
    for _ in range(2):
        await gateway.http.post("/v1/chat/completions", json=chat("Twice.", stream=True))


CASES = {
    "whole": posts("/v1/chat/completions", chat("Hello!")),
    "streamed": posts("/v1/chat/completions", chat("Hello!", stream=True)),
    "explained": posts("/v1/chat/completions", chat("Hi!", stream=True), x_gateway_explain="1"),
    "repeated": repeats,
    "left": leaves_early,
    "refused": posts("/v1/chat/completions", {"model": "no-such-model", "messages": []}),
    "response": posts("/v1/responses", {**RESPONSE, "stream": True}),
    "message": posts("/v1/messages", {**MESSAGE, "stream": True}),
    "embedding": posts("/v1/embeddings", {"model": "text-embedding-3-small", "input": "Hello!"}),
    "passed": posts("/v1/images/generations", {"model": "gpt-image-1", "prompt": "A cat."}),
    "page": posts("/v1/route", chat("Hello!")),
}


async def often(case: Case, gateway: Served) -> None:
    for _ in range(3):
        await case(gateway)
    while gateway.flow.in_flight:
        await SystemClock().sleep(0)


async def test_a_call_that_is_over_leaves_nothing_for_the_collector() -> None:
    async with served(FAST) as gateway:
        for name, case in CASES.items():
            await case(gateway)
            with nothing_left(name):
                await often(case, gateway)
