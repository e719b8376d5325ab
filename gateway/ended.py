"""What is told of a call, and of each of its attempts, when it is over."""

from dataclasses import dataclass

from gateway.call import Expected, Usage
from gateway.catalog import Tier
from gateway.money import NanoUSD
from gateway.spans import Trace


@dataclass(slots=True)
class Attempted:
    """One attempt as it ended: `outcome` is `ok` or an error's metric name."""

    deployment: str
    outcome: str
    seconds: float


@dataclass(slots=True)
class Ended:
    """A call as it ended, for metrics and the log; times are seconds, money nano-dollars.

    `outcome` is `ok` or an error's metric name; `cache` is `hit`, `miss`, `shared` or `bypass`.
    `overhead` is the time that was ours: `seconds` minus waiting for the upstream. `expected` is
    None where nothing was predicted, `in_time` where the caller set no limit of time, or left, or
    was refused. `area` is what was passed on (`gateway.wire.surface`), empty for a routed call.
    """

    id: str
    requested: str
    tier: Tier | None
    model: str
    response_model: str
    reason: str
    outcome: str
    status: int
    stream: bool
    cache: str
    usage: Usage
    cost: NanoUSD
    saved: NanoUSD
    attempts: int
    seconds: float
    ttft: float
    overhead: float
    prompt_tokens_estimate: int
    score: float
    upstream_request_id: str
    expected: Expected | None = None
    in_time: bool | None = None
    trace: Trace | None = None
    area: str = ""
