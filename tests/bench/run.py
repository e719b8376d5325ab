"""A whole run, start to end: what is started, what is measured, in which order.

Whatever happens, nothing that was started is left running.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench import bodies, decision, scenarios, shared
from tests.bench.generator import Generator
from tests.bench.processes import TICKS, Server
from tests.bench.scenarios import Bench, Figures, Plan
from tests.bench.targets import Programs, bystanders, gateway, started

SCENARIOS = {
    "crowd": scenarios.crowd,
    "alone": scenarios.alone,
    "streams": scenarios.streams,
    "huge": scenarios.huge,
    "memory": scenarios.memory,
    "shared": shared.shared,
    "decision": decision.decision,
}


@dataclass(frozen=True, slots=True)
class Order:
    """What to measure and how long."""

    plan: Plan
    only: tuple[str, ...] = ()
    """Names of scenarios; none means all."""


def measure(
    order: Order, made: Programs, load: Path, say: Callable[[str], None]
) -> dict[str, Figures]:
    """Every figure of one run.

    Raises:
        BenchError: when a server does not start or most calls fail.
    """
    written = bodies.write(made.place)
    generator = Generator(load, made.taskset, made.cores.tools)
    before = _Machine.read()
    with ExitStack() as stack:
        upstream, nginx = stack.enter_context(bystanders(made))
        start = _cold_starts(made, upstream, order.plan.starts, say)
        server = stack.enter_context(started(made, gateway(made, upstream)))
        results: dict[str, Figures] = {"start": start | {"nginx_seconds": nginx.started}}
        results["memory"] = {"rss_mb_at_start": server.memory().rss}
        bench = Bench(generator, written, order.plan, upstream, nginx, server, made, say)
        for name, scenario in SCENARIOS.items():
            if not order.only or name in order.only:
                results[name] = results.get(name, {}) | scenario(bench)
    results["run"] = {"failed": bench.failed} | _Machine.read().since(before)
    return results


def _cold_starts(
    made: Programs, upstream: Server, count: int, say: Callable[[str], None]
) -> Figures:
    say(f"{count} cold starts")
    seconds = []
    for _ in range(1 + count):
        with started(made, gateway(made, upstream)) as server:
            seconds.append(server.started)
    del seconds[0]  # it compiled the modules, which an installed gateway brings compiled
    return {"gateway_seconds": median(seconds), "gateway_slowest_seconds": max(seconds)}


@dataclass(frozen=True, slots=True)
class _Machine:
    """Seconds so far, of all cores together: by us and our ended children, by all, in all."""

    ours: float
    busy: float
    stolen: float
    whole: float

    @classmethod
    def read(cls) -> "_Machine":
        line = Path("/proc/stat").read_text().split("\n", 1)[0]
        user, nice, system, idle, waiting, irq, soft, steal = map(int, line.split()[1:9])
        # Interrupts are left out: on the loopback interface they are mostly our own traffic.
        busy = user + nice + system
        ours = os.times()
        return cls(
            ours=ours.user + ours.system + ours.children_user + ours.children_system,
            busy=busy / TICKS,
            stolen=steal / TICKS,
            whole=(busy + idle + waiting + irq + soft + steal) / TICKS,
        )

    def since(self, before: "_Machine") -> Figures:
        """The parts of the machine that others had. Our servers must have ended by now."""
        whole = self.whole - before.whole
        others = self.busy - before.busy - (self.ours - before.ours)
        return {
            "others_share": max(0.0, others) / whole,
            "stolen_share": (self.stolen - before.stolen) / whole,
        }
