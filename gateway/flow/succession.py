"""When a model ends: its deployments go on with the successor, and everyone is told.

A deployment moves on the day its model is switched off (UTC), or when its server says that there is
no such model. It never moves back. Only deployments that were given a successor move
(`gateway.settings.catalog`); the call that met the end goes on to the next tier by itself.
"""

import logging
from datetime import UTC, datetime

from gateway.catalog import Catalog, Deployment
from gateway.ports import Clock

LOG = logging.getLogger("tiergate.models")
DAY_SECONDS = 86_400.0


class Succession:
    """Watches the days, and moves deployments."""

    __slots__ = ("_catalog", "_clock", "_due")

    def __init__(self, catalog: Catalog, clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock
        self._look()

    def watch(self, now: float) -> None:
        """Look once a day; `now` is monotonic seconds."""
        if now >= self._due:
            self._look()

    def _look(self) -> None:
        """Move what ends today or has ended; the next look is due after midnight."""
        wall = self._clock.wall()
        today = datetime.fromtimestamp(wall, UTC).date()
        self._due = self._clock.now() + DAY_SECONDS - wall % DAY_SECONDS
        for deployment in tuple(self._catalog.deployments()):
            here: Deployment | None = deployment
            while here is not None and (day := here.model.shutdown) and day <= today:
                here = self._move(here, f"was switched off on {day}")

    def gone(self, deployment: Deployment) -> None:
        """Its server does not know its model (any more)."""
        self._move(deployment, "is not known to its server")

    def _move(self, deployment: Deployment, why: str) -> Deployment | None:
        successor = self._catalog.succeed(deployment)
        if successor is not None:
            LOG.warning(
                "%s %s: deployment %s goes on with its successor %s",
                *(deployment.model.name, why, deployment.name, successor.model.name),
            )
        return successor
