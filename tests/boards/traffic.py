"""Traffic in which everything happens that a board shows: first a calm day, then a bad one.

It flows for as long as somebody watches: what a rate shows is what still happens.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from gateway.simulate.traffic import prompts

PATH = "/v1/chat/completions"
SEED = 7
CALLERS = 6
PAUSE_SECONDS = 0.3
CALM_CALLS = 6
TIERS = ("nano", "mini", "full")
# What an upstream does on a bad day, and the model it does it to.
FAULTS = (
    "status=500 model=gpt-4.1",
    "status=429 model=gpt-4.1",
    "status=401 model=gpt-4.1-mini",
    "drop model=gpt-4.1-nano",
    "cut after=3",
    "html model=gpt-4.1-mini",
)

Body = dict[str, Any]
Send = Callable[..., None]


@contextmanager
def flowing(round_of_calls: Callable[[int], None]) -> Iterator[None]:
    """Make round after round of calls until the block ends."""
    stopped = threading.Event()

    def flow() -> None:
        count = 0
        while not stopped.wait(PAUSE_SECONDS):
            round_of_calls(count)
            count += 1

    thread = threading.Thread(target=flow, name="traffic", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def calm(gateway: httpx.Client) -> Callable[[int], None]:
    """Callers of all kinds; every call ends well, and some come again."""
    bodies = prompts(SEED)

    def one_round(count: int) -> None:
        again = _chat("What is the capital of France?", temperature=0)
        tier = TIERS[count % len(TIERS)]
        streamed = _chat(f"Tell me about river {count}.", model=tier, stream=True)
        _together(gateway, [*(next(bodies) for _ in range(CALM_CALLS)), again, streamed])

    return one_round


def bad(gateway: httpx.Client, key: str) -> Callable[[int], None]:
    """Upstreams fail, callers err, identical calls meet, limits are reached."""
    good = calm(gateway)

    def one_round(count: int) -> None:
        fault = FAULTS[count % len(FAULTS)]
        failing = [
            _chat(f"[[fault:{fault}]] Hello {count}", model=tier, stream=count % 2 == 0)
            for tier in (*TIERS, "auto")
        ]
        wrong: list[Body] = [{"model": "auto"}, _chat("Hello", model="no-such-model")]
        limited = [_chat(f"Is {count} even?", max_tokens=5, temperature=1)]
        good(count)
        _together(gateway, [*failing, *wrong])
        _together(gateway, [_chat(f"The same at the same time {count}", model="full")] * CALLERS)
        _together(gateway, limited, {"authorization": f"Bearer {key}"})

    return one_round


def _chat(text: str, *, model: str = "auto", **more: Any) -> Body:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def _together(
    gateway: httpx.Client, bodies: list[Body], headers: Mapping[str, str] | None = None
) -> None:
    with ThreadPoolExecutor(CALLERS) as callers:
        for body in bodies:
            callers.submit(_call, gateway, body, headers)


def _call(gateway: httpx.Client, body: Body, headers: Mapping[str, str] | None) -> None:
    # A stream that is cut on purpose ends like this.
    with suppress(httpx.TransportError):
        gateway.post(PATH, json=body, headers=headers)
