"""Everything that is kept in Redis, opened together: one link and the ports on it."""

from dataclasses import dataclass
from typing import NamedTuple

from gateway.errors import StoreUnavailable
from gateway.ports import Clock
from gateway.store.redis.affinities import RedisAffinities
from gateway.store.redis.cache import MAX_ENTRY, RedisCache
from gateway.store.redis.dial import FOREIGN, NotReached
from gateway.store.redis.keys import RedisKeys
from gateway.store.redis.link import BUDGET, Link
from gateway.store.redis.schema import ForeignSchema, prepare, verify
from gateway.store.redis.topology import topology


class Health(NamedTuple):
    """What a probe saw; `seconds` is a round trip, `maxmemory` bytes (0: no limit).

    `trouble` says why the store cannot be used, `advice` what its operator should change; both are
    words for people, empty where there is nothing to say.
    """

    where: str
    seconds: float = 0.0
    version: str = ""
    maxmemory: int = 0
    policy: str = ""
    trouble: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for a round trip; bytes of the largest kept reply.

    No reply is kept above `MAX_ENTRY`, whatever is asked for: it would hold up all the others.
    """

    budget: float = BUDGET
    max_entry: int = MAX_ENTRY


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class RedisStore:
    """The link to Redis, and what is kept there."""

    link: Link
    cache: RedisCache
    keys: RedisKeys
    affinities: RedisAffinities
    clock: Clock

    @classmethod
    def open(
        cls,
        url: str,
        clock: Clock,
        limits: Limits = USUAL,
    ) -> "RedisStore":
        """A store that is connected when it is first used.

        Raises:
            ValueError: the URL or a file it names makes no sense; the message holds no password.
            OSError: a file it names cannot be read.
        """
        link = Link(topology(url), clock, budget=limits.budget, verify=verify)
        cache = RedisCache(link, clock, max_entry=min(limits.max_entry, MAX_ENTRY))
        return cls(link, cache, RedisKeys(link, clock), RedisAffinities(link), clock)

    async def prepare(self) -> None:
        """Connect, and see to it that Redis holds our schema; for the start.

        Raises:
            ForeignSchema: it holds a newer one.
            StoreUnavailable: it cannot be reached now.
        """
        try:
            await self.link.reach()
        except NotReached as error:
            if error.why == FOREIGN:
                raise ForeignSchema(error.message) from None
            raise
        await prepare(self.link)

    async def tend(self) -> None:
        """Look after the connections until `close`; run it beside the server."""
        await self.link.tend()

    async def close(self) -> None:
        """Hang up."""
        await self.link.close()

    async def probe(self) -> Health:
        """How the store is, for readiness and doctor. Never raises."""
        where = str(self.link.topology)
        try:
            await self.link.reach()
            began = self.clock.now()
            await self.link.run("PING")
            seconds = self.clock.now() - began
        except StoreUnavailable as error:
            return Health(where, trouble=error.message)
        try:
            facts = _facts(await self.link.run("INFO", "server"))
            facts |= _facts(await self.link.run("INFO", "memory"))
            facts |= _facts(await self.link.run("INFO", "persistence"))
        except StoreUnavailable as error:
            return Health(where, seconds, advice=f"INFO is not allowed: {error.message}")
        maxmemory = facts.get("maxmemory", "")
        policy = facts.get("maxmemory_policy", "")
        return Health(
            where,
            seconds,
            facts.get("redis_version", ""),
            int(maxmemory) if maxmemory.isdigit() else 0,
            policy,
            advice=_advice(
                policy,
                limited=maxmemory not in ("", "0"),
                lasting=facts.get("aof_enabled") != "0",
            ),
        )


def _facts(info: bytes) -> dict[str, str]:
    lines = info.decode(errors="replace").splitlines()
    return {name: value for name, _, value in (line.partition(":") for line in lines)}


def _advice(policy: str, *, limited: bool, lasting: bool) -> str:
    advice = []
    if limited and policy.startswith("allkeys"):
        advice.append(f"maxmemory-policy {policy} may evict budgets and keys: use volatile-ttl")
    if limited and policy == "noeviction":
        advice.append(
            "maxmemory-policy noeviction: kept replies can fill it, and then no call is booked"
        )
    if not lasting:
        advice.append("appendonly no: a restart forgets keys and what was spent")
    return "; ".join(advice)
