"""What is measured, one function a scenario; each returns named figures.

Everything is measured in turns (nginx, gateway, nginx, gateway …, the order reversed in every
second round) and compared within a round; the median over the rounds is what counts. Times of a
noisy machine mean little: ratios and differences of neighbours mean something.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from tests.bench.bodies import Bodies
from tests.bench.generator import Generator, Load, Run
from tests.bench.processes import Server
from tests.bench.targets import Programs

Figures = dict[str, float]

CALLERS = 32
STREAMS = 256
STREAM_EVENTS = 52
STREAM_RAMP = (
    1.0  # a stream lasts about a second: starts are spread over one, ends counted after two
)
SMALL_RATE = 400.0
SMALL_CONNECTIONS = 64
HUGE_SETTLES = 0.7
HIT = "x-gateway-cache: hit"
MICRO = 1e6
MILLI = 1e-3  # microseconds → milliseconds


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to look: rounds, and seconds of each turn."""

    starts: int
    rounds: int
    crowd: float
    alone: float
    stream_rounds: int
    stream: float
    huge_rounds: int
    huge: float


QUICK = Plan(2, 2, 0.7, 0.3, stream_rounds=1, stream=1.2, huge_rounds=1, huge=2.5)
FULL = Plan(5, 7, 2.0, 1.0, stream_rounds=3, stream=3.0, huge_rounds=4, huge=5.0)


@dataclass(frozen=True, slots=True)
class Turn:
    """One run against one server: what came back and CPU microseconds a call."""

    run: Run
    cpu: float


Turns = dict[str, list[Turn]]


@dataclass(slots=True)
class Bench:
    """Everything a scenario needs. `failed` counts calls that went wrong in any of them."""

    generator: Generator
    bodies: Bodies
    plan: Plan
    upstream: Server
    nginx: Server
    gateway: Server
    made: Programs
    say: Callable[[str], None]
    failed: int = field(default=0)

    def turn(self, server: Server, load: Load) -> Turn:
        """Put a load on a server and see what it costs the server."""
        before = server.cpu()
        run = self.generator.run(server.port, load)
        self.failed += run.failed
        return Turn(run, (server.cpu() - before) / run.replies * MICRO)

    def rounds(self, count: int, turns: Sequence[tuple[str, Server, Load]]) -> Turns:
        """Take turns, forwards and backwards, and keep each name's results in order."""
        taken: Turns = {name: [] for name, _, _ in turns}
        for number in range(count):
            for name, server, load in turns if number % 2 == 0 else turns[::-1]:
                taken[name].append(self.turn(server, load))
        return taken


def middle(turns: Iterable[Turn], figure: Callable[[Turn], float]) -> float:
    """The median of a figure over the rounds."""
    return median(figure(turn) for turn in turns)


def ratio(above: list[Turn], below: list[Turn], figure: Callable[[Turn], float]) -> float:
    """The median over the rounds of one server's figure divided by another's."""
    return median(figure(a) / figure(b) for a, b in zip(above, below, strict=True))


def added(over: list[Turn], plain: list[Turn], figure: Callable[[Turn], float]) -> float:
    """The median over the rounds of what one server's figure has more than another's."""
    return median(figure(a) - figure(b) for a, b in zip(over, plain, strict=True))


def crowd(bench: Bench) -> Figures:
    """32 callers in a closed loop, no two calls alike: look-ups miss and replies are kept."""
    bench.say(f"{CALLERS} callers: nginx, routed, pinned")
    routed = Load(bench.bodies.routed, CALLERS, bench.plan.crowd)
    pinned = replace(routed, bodies=bench.bodies.pinned)
    bench.turn(bench.nginx, routed)
    bench.turn(bench.gateway, routed)
    turns = bench.rounds(
        bench.plan.rounds,
        (
            ("nginx", bench.nginx, routed),
            ("gateway", bench.gateway, routed),
            ("pinned", bench.gateway, pinned),
        ),
    )
    figures = {
        "share": ratio(turns["gateway"], turns["nginx"], _rate),
        "cpu_share": ratio(turns["nginx"], turns["gateway"], _cpu),
        "pinned_over_routed": ratio(turns["pinned"], turns["gateway"], _rate),
    }
    for name, taken in turns.items():
        figures |= {
            f"{name}_calls_per_second": middle(taken, _rate),
            f"{name}_cpu_us": middle(taken, _cpu),
            f"{name}_p50_ms": middle(taken, _p50) * MILLI,
            f"{name}_p99_ms": middle(taken, _p99) * MILLI,
        }
    return figures


def alone(bench: Bench) -> Figures:
    """One caller: what the way through adds to a call, and what a cache hit takes."""
    bench.say("one caller: direct, nginx, routed, cached")
    routed = Load(bench.bodies.routed, 1, bench.plan.alone, warm=0.1)
    cached = replace(routed, seeds=1, match=HIT)
    turns = bench.rounds(
        bench.plan.rounds,
        (
            ("direct", bench.upstream, routed),
            ("nginx", bench.nginx, routed),
            ("gateway", bench.gateway, routed),
            ("cached", bench.gateway, cached),
        ),
    )
    figures = {"direct_p50_ms": middle(turns["direct"], _p50) * MILLI}
    for name in ("nginx", "gateway"):
        figures |= {
            f"{name}_added_p50_ms": added(turns[name], turns["direct"], _p50) * MILLI,
            f"{name}_added_p99_ms": added(turns[name], turns["direct"], _p99) * MILLI,
        }
    hits = sum(turn.run.matched for turn in turns["cached"])
    return figures | {
        "cached_p50_ms": middle(turns["cached"], _p50) * MILLI,
        "cached_p99_ms": middle(turns["cached"], _p99) * MILLI,
        "cached_cpu_us": middle(turns["cached"], _cpu),
        "hit_share": hits / sum(turn.run.measured for turn in turns["cached"]),
    }


def streams(bench: Bench) -> Figures:
    """256 streams at a time of 50 events, 20 ms apart."""
    bench.say(f"{STREAMS} streams: direct, nginx, gateway")
    load = Load(
        bench.bodies.streamed,
        STREAMS,
        bench.plan.stream,
        warm=STREAM_RAMP * 2.1,
        spread=STREAM_RAMP,
    )
    turns = bench.rounds(
        bench.plan.stream_rounds,
        (
            ("direct", bench.upstream, load),
            ("nginx", bench.nginx, load),
            ("gateway", bench.gateway, load),
        ),
    )
    direct, gateway = turns["direct"], turns["gateway"]
    figures = {
        "gateway_stretch": ratio(gateway, direct, lambda turn: turn.run.latency.mean),
        "stretch_p99": ratio(gateway, direct, _p99),
        "nginx_stretch": ratio(turns["nginx"], direct, lambda turn: turn.run.latency.mean),
    }
    for name in ("nginx", "gateway"):
        taken = turns[name]
        figures |= {
            f"{name}_ttft_added_p50_ms": added(taken, direct, _ttft50) * MILLI,
            f"{name}_ttft_added_p99_ms": added(taken, direct, _ttft99) * MILLI,
            f"{name}_cpu_us_per_event": middle(taken, _cpu) / STREAM_EVENTS,
            f"{name}_gap_p99_ms": middle(taken, lambda turn: turn.run.gap.p99) * MILLI,
        }
    return figures


def huge(bench: Bench) -> Figures:
    """Small calls beside prompts of four megabytes that follow one another without a pause."""
    bench.say("small calls beside 4 MB prompts: direct, gateway")
    servers = {"direct": bench.upstream, "gateway": bench.gateway}
    small: Turns = {name: [] for name in servers}
    large: dict[str, list[Run]] = {name: [] for name in servers}
    seconds = bench.plan.huge
    light = Load(
        bench.bodies.routed, SMALL_CONNECTIONS, seconds, warm=HUGE_SETTLES, rate=SMALL_RATE
    )
    heavy = Load(bench.bodies.huge, 1, seconds, warm=HUGE_SETTLES)
    for _ in range(bench.plan.huge_rounds):
        for name, server in servers.items():
            with bench.generator.beside(server.port, heavy) as process:
                small[name].append(bench.turn(server, light))
                large[name].append(bench.generator.collect(process, heavy))
            bench.failed += large[name][-1].failed
    longest = max(turn.run.latency.max for turn in small["gateway"])
    longest_direct = max(turn.run.latency.max for turn in small["direct"])
    return {
        "added_p50_ms": added(small["gateway"], small["direct"], _p50) * MILLI,
        "added_p99_ms": added(small["gateway"], small["direct"], _p99) * MILLI,
        "added_p999_ms": added(small["gateway"], small["direct"], _p999) * MILLI,
        "added_max_ms": (longest - longest_direct) * MILLI,
        "direct_p999_ms": middle(small["direct"], _p999) * MILLI,
        "prompts_per_second": median(run.rate for run in large["gateway"]),
        "prompt_p50_ms": median(run.latency.p50 for run in large["gateway"]) * MILLI,
    }


def memory(bench: Bench) -> Figures:
    """What the gateway holds, asked for after all else."""
    held, nginx = bench.gateway.memory(), bench.nginx.memory()
    return {"rss_mb": held.rss, "pss_mb": held.pss, "nginx_pss_mb": nginx.pss}


def _rate(turn: Turn) -> float:
    return turn.run.rate


def _cpu(turn: Turn) -> float:
    return turn.cpu


def _p50(turn: Turn) -> float:
    return turn.run.latency.p50


def _p99(turn: Turn) -> float:
    return turn.run.latency.p99


def _p999(turn: Turn) -> float:
    return turn.run.latency.p999


def _ttft50(turn: Turn) -> float:
    return turn.run.ttft.p50


def _ttft99(turn: Turn) -> float:
    return turn.run.ttft.p99
