"""`tiergate models`: what the upstream accounts say of the models that stand behind the tiers."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from gateway.catalog import Catalog, Deployment, Secret, Tier
from gateway.clock import SystemClock
from gateway.settings.catalog import build
from gateway.settings.schema import Settings
from gateway.upstream.listing import Listing, listing

Account = tuple[str, Secret, str]
PRESENT, MISSING, UNKNOWN, SIMULATED = "present", "missing", "unknown", "simulated"


@dataclass(frozen=True, slots=True)
class Behind:
    """A deployment's model as its account sees it; `days_left` may be negative.

    `presence` is `present`, `missing`, `unknown` (`trouble` says why) or `simulated`; `successor`
    takes its place when it ends, `successor_presence` says whether the account has it.
    """

    tier: str
    deployment: str
    model: str
    sent: str
    presence: str
    shutdown: date | None
    days_left: int | None
    successor: str
    successor_presence: str
    trouble: str = ""

    def fails(self) -> bool:
        """Whether calls to it fail, or will with nothing in its place."""
        past = self.days_left is not None and self.days_left <= 0
        ended = self.presence == MISSING or (past and self.presence != PRESENT)
        return ended and self.successor_presence in ("", MISSING)

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        day = self.shutdown.isoformat() if self.shutdown else None
        return asdict(self) | {"shutdown": day, "fails": self.fails()}


def account(deployment: Deployment) -> Account:
    """Whose models they are: one list is asked for per account."""
    return deployment.base_url, deployment.key, deployment.key_header


async def accounts(settings: Settings, catalog: Catalog) -> dict[Account, Listing]:
    """Ask every account once, all at the same time; none in a simulation."""
    if settings.simulate.enabled:
        return {}
    ca_file = str(settings.upstream.ca_file) if settings.upstream.ca_file is not None else None
    proxied, clock = settings.upstream.proxy == "env", SystemClock()
    asked = {account(deployment): deployment for deployment in catalog.deployments()}
    async with asyncio.TaskGroup() as group:
        tasks = {
            whose: group.create_task(listing(one, clock, ca_file=ca_file, proxied=proxied))
            for whose, one in asked.items()
        }
    return {whose: task.result() for whose, task in tasks.items()}


def survey(catalog: Catalog, told: Mapping[Account, Listing], today: date) -> list[Behind]:
    """Each deployment's model, as it stands and as it ends."""
    return [
        _behind(tier, deployment, told.get(account(deployment)), today)
        for tier in sorted(catalog.tiers)
        for deployment in catalog.tiers[tier]
    ]


def models(settings: Settings) -> list[Behind]:
    """What stands behind the tiers, as the accounts say it."""
    catalog = build(settings)
    today = datetime.fromtimestamp(SystemClock().wall(), UTC).date()
    return survey(catalog, asyncio.run(accounts(settings, catalog)), today)


def _behind(tier: Tier, deployment: Deployment, told: Listing | None, today: date) -> Behind:
    model, successor = deployment.model, deployment.successor
    sent = deployment.upstream_model or model.name
    stated = told.models.get(sent) if told is not None else None
    shutdown = stated or model.shutdown
    then = successor.model.name if successor is not None else ""
    return Behind(
        tier.label,
        deployment.name,
        model.name,
        sent,
        _presence(sent, deployment, told),
        shutdown,
        (shutdown - today).days if shutdown is not None else None,
        then,
        _presence(then, deployment, told) if then else "",
        told.trouble if told is not None else "",
    )


def _presence(name: str, deployment: Deployment, told: Listing | None) -> str:
    if told is None:
        return SIMULATED
    # Azure lists what could be deployed, not what is.
    if told.trouble or deployment.key_header != "authorization":
        return UNKNOWN
    return PRESENT if name in told.models else MISSING
