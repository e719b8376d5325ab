"""What is known of each deployment right now: its breaker, its pace, its calls in flight.

The only mutable memory of the routing; deciding on it is pure (`gateway.route`).
"""

from collections.abc import Mapping

from gateway.call import Usage
from gateway.catalog import Catalog, Deployment, Tier
from gateway.route.breaker import Breaker, State
from gateway.route.latency import Speed
from gateway.route.look import too_late
from gateway.route.pace import PRIORS, Pace
from gateway.route.reasons import Choice

# A key the upstream refuses is not tried again for a minute; it does not heal by itself.
DEAD_KEY_SECONDS = 60.0
# At thousands of calls a second not every one is a lesson: a settled belief that learnt this lately
# lets the next answers pass. 500 lessons a second follow any shift within milliseconds.
LESSON_SECONDS = 0.002
# No retry-after, however large, takes a deployment out for longer.
LONGEST_REST_SECONDS = 60.0

# No answer is expected sooner: what is nothing times its load would still be nothing.
LEAST_SECONDS = 1e-6
# A deployment so much slower than its neighbour, at an answer of so many tokens, is passed over.
SLOWER, MIDDLING_ANSWER = 1.5, 300


class Health:
    """The table of deployments; times are monotonic seconds given by the caller."""

    def __init__(self, catalog: Catalog, breaker: Breaker) -> None:
        self._catalog = catalog
        self._breakers: dict[str, Breaker] = {}
        self._paces: dict[str, Pace] = {}
        self._taught: dict[str, float] = {}
        self.in_flight: dict[str, int] = {}
        self._beside: dict[str, tuple[str, ...]] = {}
        for tier, deployments in catalog.tiers.items():
            for deployment in deployments:
                self._breakers[deployment.name] = breaker
                self._paces[deployment.name] = Pace(PRIORS[tier])
                self._taught[deployment.name] = 0.0
                self.in_flight[deployment.name] = 0
                if len(deployments) > 1:
                    others = [d.name for d in deployments if d is not deployment]
                    self._beside[deployment.name] = tuple(others)
        self._rows = tuple(
            (tier, tuple((d.name, self._paces[d.name]) for d in deployments))
            for tier, deployments in catalog.tiers.items()
        )

    def takes(self, deployment: Deployment, now: float, *, named: bool = False) -> bool:
        """Whether a call may be sent there now: its breaker lets it pass, and it is not full.

        `named`: the caller chose the model or tier, so a mere pause turns nothing away.
        """
        most = deployment.max_parallel
        free = not most or self.in_flight[deployment.name] < most
        return free and self._breakers[deployment.name].admits(now, named=named)

    def speeds(self, prompt_tokens: int, now: float) -> Mapping[Tier, Speed]:
        """Each tier's fastest deployment that may be called now."""
        speeds = {}
        breakers, in_flight = self._breakers, self.in_flight
        for tier, rows in self._rows:
            found: Speed | None = None
            for name, pace in rows:
                breaker = breakers[name]
                # Asked only where it is not plainly closed: this is done for every call.
                if breaker.open_until is None or breaker.admits(now):
                    speed = pace.speed(prompt_tokens, now, in_flight[name])
                    found = speed if found is None or speed < found else found
            if found is not None:
                speeds[tier] = found
        return speeds

    def seconds(self, deployment: Deployment, completion: float, now: float) -> float:
        """How long a deployment should take for an answer, its prompt being as short as any."""
        speed = self._paces[deployment.name].speed(0, now, 0)
        return max(LEAST_SECONDS, speed.ttft + completion * speed.per_output_token)

    def passed(self, choice: Choice) -> None:
        """Calls were kept from the tiers that would have been too late for this one."""
        for candidate in choice.candidates:
            if too_late(candidate):
                for deployment in self._catalog.tiers[candidate.tier]:
                    self._paces[deployment.name].passed()

    def retry_after(self, now: float) -> float:
        """Seconds until the first breaker lets a call pass again."""
        waits = [
            max(0.0, breaker.open_until - now)
            for breaker in self._breakers.values()
            if breaker.open_until is not None
        ]
        return min(waits, default=1.0)

    def resting(self, now: float) -> list[str]:
        """The deployments that no call may reach now, for metrics."""
        return [n for n, breaker in self._breakers.items() if breaker.state(now) is State.OPEN]

    def started(self, deployment: Deployment, now: float, expected: float = 0.0) -> None:
        """An attempt begins; it should take `expected` seconds (0: nobody asked)."""
        name = deployment.name
        if expected > 0.0:
            self._paces[name].launched(now, expected, self.in_flight[name])
            for beside in self._beside.get(name, ()):
                # What is kept from calls for being slow must be found again.
                if self._slower(beside, name):
                    self._paces[beside].passed()
        self.in_flight[name] += 1
        self._breakers[name] = self._breakers[name].started(now)

    def _slower(self, one: str, other: str) -> bool:
        """Whether a deployment is believed to be so slow that it is passed over for another."""
        usual = MIDDLING_ANSWER
        return self._paces[one].total(0, usual) > SLOWER * self._paces[other].total(0, usual)

    def left(self, deployment: Deployment, began: float) -> None:
        """The attempt that began then is over, however it ended."""
        name = deployment.name
        self._paces[name].left(began)
        self.in_flight[name] -= 1
        self._breakers[name] = self._breakers[name].released()

    def succeeded(self, deployment: Deployment) -> None:
        """The deployment answered as it should (a refusal of a bad request included)."""
        name = deployment.name
        self._breakers[name] = self._breakers[name].succeeded()

    def failed(self, deployment: Deployment, now: float) -> None:
        """The deployment did not answer as it should."""
        name = deployment.name
        self._breakers[name] = self._breakers[name].failed(now)

    def rested(self, deployment: Deployment, seconds: float, now: float) -> None:
        """The deployment must be left alone for a while."""
        name = deployment.name
        until = now + min(seconds, LONGEST_REST_SECONDS)
        self._breakers[name] = self._breakers[name].rested(until)

    def answered(self, deployment: Deployment, usage: Usage, began: float, seconds: float) -> None:
        """Learn from a whole reply."""
        name, ended = deployment.name, began + seconds
        pace = self._paces[name]
        if 0.0 < ended - self._taught[name] < LESSON_SECONDS and pace.settled():
            return
        self._taught[name] = ended
        pace.answered(usage.prompt, usage.completion, seconds, began=began)

    def streamed(
        self, deployment: Deployment, usage: Usage, began: float, ttft: float, seconds: float
    ) -> None:
        """Learn from a stream: its first byte after `ttft`, its last after `seconds`."""
        pace = self._paces[deployment.name]
        pace.started(usage.prompt, ttft, began=began)
        pace.streamed(usage.completion, seconds - ttft)

    def late(self, deployment: Deployment, prompt: int, completion: int, seconds: float) -> None:
        """Learn from an attempt that was given up: it would have taken longer."""
        self._paces[deployment.name].late(prompt, completion, seconds)
