"""The outage proof, through a whole gateway under traffic: its Redis freezes, dies, fills up.

Callers go on calling while it happens, some with a key that fails open, some with one that fails
closed. Compared are the callers' own counts and clocks, the upstream's bill, and the gateway's own
calm a moment before. Beside them somebody keeps asking whether it is alive, which touches no Redis:
what that takes longer is the machine's, and is not held against the gateway, and neither is what
the slowest call took in calm. Slow, so not part of the suite: `make test-law`.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
import pytest

from gateway.access.token import RANDOM_BYTES, issue
from tests.app.bookkeeping import COMPLETION, COST, Upstream, upstream
from tests.law import troubles
from tests.law.places import CLOCK, START_SECONDS, USD, Gateway, settings
from tests.law.troubles import Trouble
from tests.processes import bare_environment
from tests.store.redis_server import RedisServer, redis_server

CALLERS = 6
CALM_SECONDS, TROUBLE_SECONDS = 1.5, 2.5
FIRST_SECONDS = 0.2
"""From the moment on when it happens; whoever calls later should wait for nothing."""

ADDED_SECONDS = 0.05
"""Promised for the first calls."""

RECOVERY_SECONDS = 2.0
"""Promised from its mending to the first call that is served as if nothing had been."""

SLACK = 4.0
"""Times the calm's median, where other work on the machine is measured along."""

CALM = 30
"""Calls in a row that were served: only then is there a calm that could be disturbed."""

BUSY = 0.2
"""The share of calls that a busy machine may hold up for longer than Redis may take."""

OPEN, CLOSED = (issue(bytes([n]) * RANDOM_BYTES).key.reveal() for n in (1, 2))
UNAVAILABLE = "store_unavailable"


@dataclass
class Asked:
    """One call: when it began, how long it took, what came of it."""

    began: float
    seconds: float
    key: str
    word: str


@dataclass
class Scene:
    """A gateway, its Redis, its upstream, and everything its callers met."""

    gateway: Gateway
    redis: RedisServer
    books: Upstream
    http: httpx.AsyncClient
    asked: list[Asked] = field(default_factory=list)
    looks: list[Asked] = field(default_factory=list)
    struck: float = 0.0
    over: bool = False

    async def ask(self, key: str, text: str) -> str:
        began = CLOCK.now()
        reply = await self.http.post(
            f"{self.gateway.url}/v1/chat/completions",
            json={
                "model": "made-up",
                "max_tokens": COMPLETION,
                "messages": [{"role": "user", "content": text}],
            },
            headers={"authorization": f"Bearer {key}"},
        )
        said = reply.json()
        word = "ok" if reply.status_code == 200 else str(said["error"]["code"])
        if word == "ok":
            assert said["choices"][0]["message"]["content"] == f"You said: {text}"
        self.asked.append(Asked(began, CLOCK.now() - began, key, word))
        return word

    async def caller(self, number: int) -> None:
        turn = 0
        while not self.over:
            turn += 1
            await self.ask((OPEN, CLOSED)[(number + turn) % 2], f"{number}, {turn}")
            await CLOCK.sleep(0.01)

    async def looker(self) -> None:
        while not self.over:
            began = CLOCK.now()
            await self.http.get(f"{self.gateway.url}/healthz")
            self.looks.append(Asked(began, CLOCK.now() - began, "", "ok"))
            await CLOCK.sleep(0.01)

    def calm(self) -> bool:
        """Whether Redis is quick enough now, on a machine that may be busy."""
        latest = self.asked[-CALM:]
        return len(latest) == CALM and all(one.word == "ok" for one in latest)

    async def settled(self, name: str) -> int:
        said = await self.http.get(f"{self.gateway.url}/admin/v1/standing?key={name}")
        if said.status_code != 200:
            # The machine is busy, and the store was not waited for.
            return -1
        [allowance] = said.json()["allowances"]
        return round(float(allowance["settled_usd"]) * USD) // COST

    def between(self, since: float, until: float) -> list[Asked]:
        return within(self.asked, since, until)

    def looked(self, since: float, until: float) -> list[float]:
        return [one.seconds for one in within(self.looks, since, until)] or [0.0]


def within(asked: list[Asked], since: float, until: float) -> list[Asked]:
    return [one for one in asked if since <= one.began < until]


@asynccontextmanager
async def scene(directory: Path, redis: RedisServer) -> AsyncIterator[Scene]:
    async with upstream() as books:
        said = settings(books.url)
        said["store"] = {"redis_url": redis.url}
        said["cache"] = {"policy": "default"}
        terms = {"allowances": ["1000usd/month"]}
        said["keys"] = [
            {"name": "open", "key": OPEN, "on_outage": "fail_open", **terms},
            {"name": "closed", "key": CLOSED, **terms},
        ]
        config = directory / "tiergate.yaml"
        config.write_text(json.dumps(said))
        gateway = Gateway({**bare_environment(), "TIERGATE_CONFIG": str(config)})
        gateway.start()
        try:
            await gateway.serves()
            async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
                yield Scene(gateway, redis, books, http)
        finally:
            gateway.kill()


async def lived_through(there: Scene, breaks: Trouble, mends: Trouble, name: str) -> float:
    """Calm, trouble, calm again; `breaks` and `mends` may take their time beside the callers.

    Returns:
        The share of calls that fail closed which were refused in the midst of it.
    """
    async with asyncio.TaskGroup() as group:
        group.create_task(there.looker())
        for number in range(CALLERS):
            group.create_task(there.caller(number))
        await CLOCK.sleep(CALM_SECONDS)
        while not there.calm():
            await CLOCK.sleep(0.01)
        there.struck = struck = CLOCK.now()
        await asyncio.to_thread(breaks, there.redis)
        broken = CLOCK.now()
        await CLOCK.sleep(TROUBLE_SECONDS)
        mending = CLOCK.now()
        await asyncio.to_thread(mends, there.redis)
        mended = CLOCK.now()
        while not any(
            one.key == CLOSED and one.word == "ok" for one in there.between(mended, 1e12)
        ):
            assert CLOCK.now() < mended + START_SECONDS, "it does not come back"
            await CLOCK.sleep(0.01)
        back = CLOCK.now() - mended
        await CLOCK.sleep(0.5)
        there.over = True
    told(there, (struck, mended), back, name)
    midst = there.between(max(broken, struck + FIRST_SECONDS), mending)
    return refused([one for one in midst if one.began + one.seconds < mending])


def told(there: Scene, trouble: tuple[float, float], back: float, name: str) -> None:
    """What the callers met, in figures; then whether it is what is promised."""
    struck, mended = trouble
    calm = there.between(0.0, struck - 0.1)
    usual = median(one.seconds for one in calm)
    # Calls that were under way when it happened are among the first.
    first = there.between(struck - usual, struck + FIRST_SECONDS)
    after = there.between(struck + FIRST_SECONDS, mended)
    added = sorted(max(0.0, one.seconds - usual) for one in first) or [0.0]
    later = median([one.seconds for one in after] or [usual])
    own = median(there.looked(0.0, struck)), median(there.looked(struck + FIRST_SECONDS, mended))
    held_up = max(there.looked(struck - usual, struck + FIRST_SECONDS + usual))
    slowest = max(one.seconds for one in calm) - usual
    delays = max(there.looked(mended, mended + back)) + own[1]
    print(  # noqa: T201 - the proof's figures
        f"\n{name}: calm {usual * 1e3:.1f} ms, at most +{slowest * 1e3:.1f} ms; first calls "
        f"+{median(added) * 1e3:.1f} ms, at most +{added[-1] * 1e3:.1f} ms; then "
        f"{later * 1e3:.1f} ms ({len(after)} calls; no Redis: {own[0] * 1e3:.1f}, "
        f"{own[1] * 1e3:.1f}, at most {held_up * 1e3:.1f} ms); served again after {back:.2f} s"
    )

    assert {one.word for one in there.asked if one.key == OPEN} == {"ok"}
    assert {one.word for one in there.asked if one.key == CLOSED} <= {"ok", UNAVAILABLE}
    # Whatever the upstream was asked for has arrived.
    assert sum(one.word == "ok" for one in there.asked) == there.books.asked.total()
    assert median(added) <= ADDED_SECONDS + held_up
    assert added[-1] <= ADDED_SECONDS * 2 + slowest + held_up
    assert later <= usual * SLACK * max(1.0, own[1] / own[0]) + 0.01
    # Each of the probes, dials and calls that recovery takes may be held up like a look.
    assert back <= RECOVERY_SECONDS + SLACK * delays


def refused(asked: list[Asked]) -> float:
    """The share of the calls that fail closed which were refused."""
    closed = [one.word for one in asked if one.key == CLOSED]
    return closed.count(UNAVAILABLE) / max(1, len(closed))


async def books_are_whole(there: Scene) -> None:
    """What was served meanwhile is written down, once."""
    served = {
        key: sum(one.word == "ok" for one in there.asked if one.key == key)
        for key in (OPEN, CLOSED)
    }
    due = CLOCK.now() + START_SECONDS
    while (await there.settled("open"), await there.settled("closed")) != tuple(served.values()):
        assert CLOCK.now() < due, (served, await there.settled("open"))
        await CLOCK.sleep(0.1)


@pytest.mark.parametrize(
    ("breaks", "mends"),
    [
        (RedisServer.freeze, RedisServer.thaw),
        (troubles.replica, troubles.master),
        (troubles.full, troubles.free),
    ],
    ids=["frozen", "read-only", "full"],
)
async def test_no_reply_is_lost_and_nobody_waits_while_redis_is_in_trouble(
    tmp_path: Path, breaks: Trouble, mends: Trouble, request: pytest.FixtureRequest
) -> None:
    with redis_server() as server:
        async with scene(tmp_path, server) as there:
            assert await lived_through(there, breaks, mends, request.node.callspec.id) == 1.0
            await books_are_whole(there)


async def test_no_reply_is_lost_when_redis_dies_and_comes_back_with_its_data(
    tmp_path: Path,
) -> None:
    with redis_server(appendonly="yes", appendfsync="always") as server:
        async with scene(tmp_path, server) as there:
            assert await lived_through(there, RedisServer.kill, RedisServer.start, "killed") == 1.0
            await books_are_whole(there)


async def test_no_reply_is_lost_while_redis_reads_its_data(tmp_path: Path) -> None:
    with redis_server(enable_debug_command="yes", rdbcompression="no") as server:
        async with scene(tmp_path, server) as there:
            await lived_through(there, troubles.restarted_slowly, troubles.loaded, "loading")


async def test_no_reply_is_lost_when_everything_in_redis_is_rubbish(tmp_path: Path) -> None:
    with redis_server() as server:
        async with scene(tmp_path, server) as there:
            share = await lived_through(there, troubles.rubbish, lambda _: None, "rubbish")
            assert share <= BUSY + refused(there.between(0.0, there.struck))
