"""What three gateways behind nginx promise: calls are spread, a dead one costs only its own."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.compose.checks import STORY, Check
from tests.compose.stack import Stack, Streaming, eventually

GATEWAYS = 3
EDGE = "TIERGATE_EDGE_PORT"
STREAMS = 12
CALLS_AFTER = 40
# The last digits of a decision's id count; those before them are the gateway's own.
COUNTING_DIGITS = 8


def gateway_of(headers: object) -> str:
    """Which gateway made a decision."""
    assert isinstance(headers, dict)
    return str(headers["x-gateway-decision-id"][:-COUNTING_DIGITS])


def spreads(stack: Stack) -> str:
    """Three gateways take calls, and Prometheus watches each."""
    took = stack.up("scale")
    seen = Counter(
        gateway_of(stack.call(f"Say {n}.", port=EDGE, max_tokens=2, temperature=1).headers)
        for n in range(30)
    )
    eventually(lambda: _watched(stack) == GATEWAYS, "Prometheus reads all three")
    hidden = stack.get(EDGE, "/metrics")

    assert len(seen) == GATEWAYS, seen
    assert hidden.status == 404
    return f"healthy after {took:.1f} s; calls {sorted(seen.values())}"


def passes_streams_on(stack: Stack) -> str:
    """nginx holds nothing of a stream back."""
    pieces = list(stack.stream(STORY, port=EDGE, temperature=1).pieces())

    assert pieces[-1][1].endswith(b"data: [DONE]\n\n")
    assert len(pieces) > 10
    spread = pieces[-1][0] - pieces[0][0]
    assert spread > 1, f"all within {spread:.2f} s"
    return f"{len(pieces)} pieces over {spread:.1f} s"


def loses_only_its_own(stack: Stack) -> str:
    """A replica killed in mid-stream cuts its streams, visibly; every other call is answered."""
    victim = stack.containers("replica")[0]
    prefix = _prefix(stack, victim)
    # Calls that wait for one and the same answer of the name server go to one gateway.
    stack.call("Warm up.", port=EDGE, max_tokens=2, temperature=1)
    with ThreadPoolExecutor(STREAMS) as callers:
        open_streams = list(callers.map(lambda n: _begun(stack, n), range(STREAMS)))
    stack.engine.docker("kill", victim)
    began = time.perf_counter()
    answered = [
        stack.call(f"Name {n}.", port=EDGE, max_tokens=2, temperature=1).status
        for n in range(CALLS_AFTER)
    ]
    took = time.perf_counter() - began
    whole: dict[str, list[bool]] = {}
    for each in open_streams:
        whole.setdefault(gateway_of(each.headers), []).append(_is_whole(each))

    assert prefix in whole, "the killed gateway had no stream"
    assert len(whole) > 1, "no other gateway had a stream"
    assert not any(whole[prefix]), "a stream of the killed gateway ended as if it were whole"
    assert all(all(ends) for gateway, ends in whole.items() if gateway != prefix), whole
    assert answered == [200] * CALLS_AFTER, Counter(answered)
    return (
        f"{len(whole[prefix])} of {STREAMS} streams cut, the others whole; "
        f"{CALLS_AFTER} calls answered in {took:.1f} s"
    )


def takes_it_back(stack: Stack) -> str:
    """The replica that comes back takes calls again, without nginx being told."""
    began = time.perf_counter()
    stack.up("scale")
    eventually(lambda: _gateways(stack) == GATEWAYS, "all three take calls again")

    return f"{time.perf_counter() - began:.1f} s"


def _watched(stack: Stack) -> int:
    """How many gateways Prometheus reads; a query would still see those of minutes ago."""
    targets = stack.get("PROMETHEUS_PORT", "/api/v1/targets?state=active").json()
    wells = [t for t in targets["data"]["activeTargets"] if t["health"] == "up"]
    return sum(t["labels"]["job"] == "tiergate" for t in wells)


def _gateways(stack: Stack) -> int:
    calls = [stack.call(f"Again {n}.", port=EDGE, max_tokens=2, temperature=1) for n in range(12)]
    return len({gateway_of(call.headers) for call in calls})


def _begun(stack: Stack, number: int) -> Streaming:
    """A stream of some seconds whose first piece is there."""
    text = f"{STORY} Chapter {number}."
    streaming = stack.stream(text, port=EDGE, model="mini", temperature=1)
    streaming.first()
    return streaming


def _is_whole(streaming: Streaming) -> bool:
    return streaming.rest().endswith(b"data: [DONE]\n\n")


def _prefix(stack: Stack, container: str) -> str:
    """The ids a container's gateway gives, from a call made inside it."""
    script = (
        "import urllib.request as u; print(u.urlopen(u.Request("
        '\'http://127.0.0.1:8080/v1/chat/completions\', b\'{"model":"auto","max_tokens":2,'
        '"messages":[{"role":"user","content":"Who?"}]}\','
        "{'content-type':'application/json'})).headers['x-gateway-decision-id'])"
    )
    told = stack.engine.docker("exec", container, "python", "-c", script).strip()
    return told[:-COUNTING_DIGITS]


SEVERAL: tuple[Check, ...] = (spreads, passes_streams_on, loses_only_its_own, takes_it_back)
