"""What sharing costs: the gateway with Redis and a key with limits, against the same with neither.

Every call asks Redis for a kept reply, takes the lead among replicas, holds money and settles it,
and keeps its reply. Redis runs where the upstream and the generator do, not on the gateway's core.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from shutil import which

from gateway.access.token import RANDOM_BYTES, issue
from tests.bench.generator import Load
from tests.bench.processes import Server
from tests.bench.scenarios import CALLERS, MILLI, Bench, Figures, Turn, middle, ratio
from tests.bench.targets import gateway, started
from tests.store.redis_server import redis_server

# More than any run spends or sends: what is measured is counting, not refusing.
TERMS = {
    "allowances": ["1000000usd/day", "1000000usd/month rolling"],
    "requests_per_minute": 10**9,
    "tokens_per_minute": 10**12,
}


def shared(bench: Bench) -> Figures:
    """32 callers in a closed loop, no two calls alike, with and without Redis and limits."""
    if which("redis-server") is None:
        bench.say("no redis-server: sharing is not measured")
        return {}
    bench.say(f"{CALLERS} callers: alone, sharing through Redis")
    with _sharing(bench) as (server, key):
        plain = Load(bench.bodies.routed, CALLERS, bench.plan.crowd)
        keyed = replace(plain, headers=(f"Authorization: Bearer {key}",))
        bench.turn(server, keyed)
        turns = bench.rounds(
            bench.plan.rounds, (("alone", bench.gateway, plain), ("sharing", server, keyed))
        )
    figures = {
        "share": ratio(turns["sharing"], turns["alone"], _rate),
        "cpu_share": ratio(turns["alone"], turns["sharing"], _cpu),
    }
    for name, taken in turns.items():
        figures |= {
            f"{name}_calls_per_second": middle(taken, _rate),
            f"{name}_cpu_us": middle(taken, _cpu),
            f"{name}_p50_ms": middle(taken, _p50) * MILLI,
        }
    return figures


@contextmanager
def _sharing(bench: Bench) -> Iterator[tuple[Server, str]]:
    key = issue(os.urandom(RANDOM_BYTES)).key.reveal()
    with redis_server() as redis:
        assert redis.process is not None
        os.sched_setaffinity(redis.process.pid, {bench.made.cores.tools})
        more = {
            "store": {"redis_url": redis.url},
            "keys": [{"name": "bench", "key": key, **TERMS}],
        }
        with started(bench.made, gateway(bench.made, bench.upstream, more=more)) as server:
            yield server, key


def _rate(turn: Turn) -> float:
    return turn.run.rate


def _cpu(turn: Turn) -> float:
    return turn.cpu


def _p50(turn: Turn) -> float:
    return turn.run.latency.p50
