"""What is known of each deployment right now: its breaker, its pace, its calls in flight.

The only mutable memory of the routing; deciding on it is pure (`gateway.route`).
"""

from collections.abc import Mapping

from gateway.call import Usage
from gateway.catalog import Catalog, Deployment, Tier
from gateway.route.breaker import Breaker, State
from gateway.route.choose import Speed
from gateway.route.pace import PRIORS, Pace

# A key the upstream refuses is not tried again for a minute; it does not heal by itself.
DEAD_KEY_SECONDS = 60.0
# No retry-after, however large, takes a deployment out for longer.
LONGEST_REST_SECONDS = 60.0


class Health:
    """The table of deployments; times are monotonic seconds given by the caller."""

    def __init__(self, catalog: Catalog, breaker: Breaker) -> None:
        self._catalog = catalog
        self._breakers: dict[str, Breaker] = {}
        self._paces: dict[str, Pace] = {}
        self.in_flight: dict[str, int] = {}
        for tier, deployments in catalog.tiers.items():
            for deployment in deployments:
                self._breakers[deployment.name] = breaker
                self._paces[deployment.name] = Pace(PRIORS[tier])
                self.in_flight[deployment.name] = 0

    def takes(self, deployment: Deployment, now: float, *, named: bool = False) -> bool:
        """Whether a call may be sent there now: its breaker lets it pass, and it is not full.

        `named`: the caller chose the model or tier, so a mere pause turns nothing away.
        """
        most = deployment.max_parallel
        free = not most or self.in_flight[deployment.name] < most
        return free and self._breakers[deployment.name].admits(now, named=named)

    def speeds(self, prompt_tokens: int, now: float) -> Mapping[Tier, Speed]:
        """Each tier's fastest deployment that may be called now."""
        speeds: dict[Tier, Speed] = {}
        for tier, deployments in self._catalog.tiers.items():
            if len(deployments) == 1:
                name = deployments[0].name
                breaker = self._breakers[name]
                if breaker.open_until is None or breaker.admits(now):
                    pace = self._paces[name]
                    speeds[tier] = Speed(pace.ttft(prompt_tokens), pace.per_token)
                continue
            paces = [
                self._paces[deployment.name]
                for deployment in deployments
                if self._breakers[deployment.name].admits(now)
            ]
            if paces:
                best = min(paces, key=lambda pace: pace.ttft(prompt_tokens))
                speeds[tier] = Speed(best.ttft(prompt_tokens), best.per_output_token())
        return speeds

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

    def started(self, deployment: Deployment, now: float) -> None:
        """An attempt begins."""
        name = deployment.name
        self.in_flight[name] += 1
        self._breakers[name] = self._breakers[name].started(now)

    def left(self, deployment: Deployment) -> None:
        """An attempt is over, however it ended."""
        name = deployment.name
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

    def answered(self, deployment: Deployment, usage: Usage, seconds: float) -> None:
        """Learn from a whole reply."""
        self._paces[deployment.name].answered(usage.prompt, usage.completion, seconds)

    def streamed(self, deployment: Deployment, usage: Usage, ttft: float, seconds: float) -> None:
        """Learn from a stream: its first byte after `ttft`, its last after `seconds`."""
        pace = self._paces[deployment.name]
        pace.started(usage.prompt, ttft)
        pace.streamed(usage.completion, seconds - ttft)
