"""The few doors between deciding and doing. Each docstring is the contract its adapters keep."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.call import Feed, Headers, Usage
from gateway.catalog import Deployment, Tier
from gateway.ended import Attempted, Ended
from gateway.holds import Charge, Claim, Denial, Grant, SpendQuery, Spent, Standing
from gateway.money import NanoUSD
from gateway.principal import KeyRecord, Level


class Clock(Protocol):
    """Time as an argument: a test walks an hour in a microsecond."""

    def now(self) -> float:
        """Monotonic seconds, for durations and deadlines."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch, for logs and records only."""
        ...


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds an attempt may take: to the first and the last byte of its body; of silence."""

    connect: float = 3.0
    first_byte: float = 120.0
    idle: float = 60.0
    total: float = 600.0


class Request(NamedTuple):
    """One attempt: where to, the path below the deployment's base URL, and the bytes to send.

    With a `feed` the body comes from there, and the deadlines but `idle` count from its end. Once
    the far side has switched to the protocol of `upgrade` (101), the feed goes there as it is.
    """

    deployment: Deployment
    path: str
    headers: Headers
    body: bytes
    stream: bool
    deadlines: Deadlines
    method: str = "POST"
    feed: Feed | None = None
    upgrade: str = ""


class Reply(Protocol):
    """An upstream's reply: a head now, a body as it comes.

    The body's bytes are those the upstream sent, without transfer framing. Reading pauses the
    upstream when nobody reads here. `abort` may be called at any time, any number of times, from
    anywhere: it closes the upstream connection at once unless the body is already whole.
    """

    status: int
    headers: Headers

    def chunk(self) -> Awaitable[bytes]:
        """The next bytes of the body, at least one; `b""` once it is whole.

        Raises:
            UpstreamError: when the body ends early, stalls or breaks its framing.
        """
        ...

    def read(self, limit: int) -> Awaitable[bytes]:
        """The rest of the body; raises as `chunk` does, and when it is over `limit` bytes."""
        ...

    def abort(self) -> None:
        """Give the reply up."""
        ...


class Upstream(Protocol):
    """Sends one attempt and never retries; any status is a reply, not an error."""

    async def send(self, request: Request) -> Reply:
        """Send; resolves when the reply's head is in (not streamed: possibly its body too).

        Cancelling closes the connection at once.

        Raises:
            UpstreamError: connection refused or lost, a deadline passed, a broken reply.
        """
        ...

    async def close(self) -> None:
        """Close every connection; calls in flight fail."""
        ...


class Kept(NamedTuple):
    """A whole reply worth keeping: head, body or stream chunks as they left, and what it took."""

    status: int
    headers: Headers
    chunks: tuple[bytes, ...]
    stream: bool
    tier: Tier
    model: str
    usage: Usage
    cost: NanoUSD
    score: float
    quality: tuple[float, float, float]
    stored: float

    @property
    def size(self) -> int:
        """Bytes it occupies, near enough to bound a cache: a header field takes about 160."""
        return sum(map(len, self.chunks)) + 160 * len(self.headers) + 800


class ReplyCache(Protocol):
    """Remembers replies. A lost cache is a miss, never an error."""

    async def get(self, key: bytes) -> Kept | None:
        """The reply kept under a key, if it is still alive."""
        ...

    async def put(self, key: bytes, kept: Kept, ttl: float) -> None:
        """Keep a reply for `ttl` seconds, or not at all if there is no room."""
        ...


class Lead(NamedTuple):
    """That we fetch a reply for all, under a `mark` of ours; `follows`: another does.

    Neither of them: nobody knows who, so everybody may.
    """

    key: bytes
    mark: bytes = b""
    follows: bool = False


class SharedFlights(Protocol):
    """One fetch of a reply for all replicas, never waited for beyond a lease. None of it raises."""

    async def look(self, key: bytes) -> Kept | Lead:
        """The reply kept under a key, as the cache would tell; else who fetches it, maybe we."""
        ...

    async def wait(self, key: bytes) -> Kept | None:
        """What another replica fetches; None: it brought nothing to keep, so fetch it."""
        ...

    def landed(self, lead: Lead) -> None:
        """We are done: the reply is in the cache, or there is none to wait for."""
        ...


class Ledger(Protocol):
    """Keeps money and quotas.

    At every instant, for every allowance: settled + held ≤ its amount, whoever claims at the same
    time. A hold whose process died is charged its claim's `expected` once its lease is over.
    """

    async def hold(self, claim: Claim) -> Grant | Denial:
        """Pass all levels of a claim, or touch none.

        Raises:
            StoreUnavailable: the ledger cannot be reached in time; nothing stays held.
        """
        ...

    def settle(self, grant: Grant | None, charge: Charge) -> None:
        """Release a hold and record what was spent, in the window the hold was made in.

        Not a coroutine: nobody can cancel it, and it waits for nothing. Without a grant, or with
        one that is not backed, the spend is recorded all the same. Settling the same grant again
        changes nothing. Never raises: what cannot be written now is written later.
        """
        ...

    async def standing(self, root: str, levels: Sequence[Level]) -> Standing:
        """Where levels stand now.

        Raises:
            StoreUnavailable: the ledger cannot be reached in time.
        """
        ...

    async def spend(self, query: SpendQuery) -> list[Spent]:
        """The records of spend, newest day first.

        Raises:
            StoreUnavailable: the ledger cannot be reached in time.
        """
        ...


class Keys(Protocol):
    """Remembers keys. A store that is down is not a key that is unknown."""

    async def find(self, key_id: str) -> KeyRecord | None:
        """The key of an id, revoked and expired ones too; a change shows within two seconds.

        Raises:
            StoreUnavailable: the store cannot be reached in time, and nothing recent is remembered.
        """
        ...

    async def put(self, record: KeyRecord, over: KeyRecord | None = None) -> bool:
        """Keep a key, or what has changed of it.

        `over` is the record as it was when the change was made; False: somebody has changed it
        since, and nothing is kept.

        Raises:
            StoreUnavailable: it is not kept.
        """
        ...

    async def every(self) -> list[KeyRecord]:
        """All keys, oldest first.

        Raises:
            StoreUnavailable: the store cannot be reached in time.
        """
        ...


class Affinities(Protocol):
    """Remembers where something lives: a conversation's tier, a stored reply's deployment.

    A lost note is a note never made, never an error; a note is at most 256 characters.
    """

    async def get(self, kind: str, name: str) -> str | None:
        """The note on a name, if it is still alive."""
        ...

    async def put(self, kind: str, name: str, note: str, ttl: float) -> None:
        """Keep a note for `ttl` seconds."""
        ...


class Note(NamedTuple):
    """What one process told the others; `mark` is where it stands among what they told."""

    mark: str
    packed: bytes


class Bulletin(Protocol):
    """What the processes of one gateway tell each other; the latest of it is kept, for all."""

    async def tell(self, packed: Sequence[bytes]) -> None:
        """Tell the others.

        Raises:
            StoreUnavailable: nobody knows whether they were told.
        """
        ...

    async def heard(self, after: str, most: int) -> Sequence[Note]:
        """What was told after a mark (`""`: all that is kept), oldest first, `most` of it.

        Raises:
            StoreUnavailable: it cannot be read in time.
        """
        ...


class Recorder(Protocol):
    """Counts and logs what happened. It never raises, blocks or awaits."""

    def attempted(self, attempt: Attempted) -> None:
        """An attempt ended."""
        ...

    def ended(self, ended: Ended) -> None:
        """A call ended."""
        ...
