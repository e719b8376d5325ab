"""The page at `/ui/`: files of the package, served as they are, and what only the page asks for.

Nothing on it comes from elsewhere: the browser is told to load and call this gateway alone. Its
files hold no figures and need no key; whatever they show comes from the admin API, which asks for
its own. Shown where that is: on this machine, or everywhere when `admin.enabled` says so.
"""

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from itertools import islice
from typing import Any, NamedTuple

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse

from gateway import __version__
from gateway.catalog import TIER_LABELS, Catalog
from gateway.errors import NotFound
from gateway.flow.together import Together
from gateway.http.admin import PREFIX, Admin, Guard, from_no_page, guards
from gateway.money import NanoUSD, spell
from gateway.route.whatif import Sums, at_dials, sums

TYPES: Mapping[str, str] = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
FIELDS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
SECONDS_A_DAY = 86_400
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
MILLION = 1_000_000
DIALS = tuple([n / 20 for n in range(21)])
# Deciding one again at every dial takes about 60 µs.
MOST_AGAIN = 1_000


class Asset(NamedTuple):
    """A file of the page, and the tag by which a browser knows that it has it."""

    body: bytes
    media_type: str
    tag: str


@cache
def assets() -> Mapping[str, Asset]:
    """The page's files by their paths; about 100 KB, read when first asked for."""
    root = files("gateway.data") / "ui"
    found: dict[str, Asset] = {}
    for folder, prefix in ((root, ""), (root / "vendor", "vendor/")):
        for file in folder.iterdir():
            media_type = TYPES.get(file.name.rpartition(".")[2])
            if media_type is not None:
                body = file.read_bytes()
                tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
                found[prefix + file.name] = Asset(body, media_type, tag)
    return found


def router(admin: Admin, near: Guard) -> APIRouter:
    """The page's own files."""
    checks = [] if admin.everywhere else [Depends(near)]
    if admin.key is None:
        checks.append(Depends(from_no_page))
    routes = APIRouter(dependencies=checks, include_in_schema=False)

    @routes.get("/ui")
    async def to_the_page() -> RedirectResponse:
        return RedirectResponse("ui/")

    @routes.get("/ui/{path:path}")
    async def file(path: str, request: Request) -> Response:
        found = assets().get(path or "index.html")
        if found is None:
            message = "The page has no such file."
            raise NotFound(message)
        fields = {**FIELDS, "etag": found.tag}
        if request.headers.get("if-none-match") == found.tag:
            return Response(None, 304, fields)
        return Response(found.body, 200, fields, found.media_type)

    return routes


class Shown(NamedTuple):
    """What the page tells of the gateway; `render` gives the metrics for an `Accept` value."""

    catalog: Catalog
    simulated: bool
    render: Callable[[str], bytes]
    decisions: Together


def figures(admin: Admin, near: Guard, shown: Shown) -> APIRouter:
    """The models and the metrics, under the admin API's guard."""
    routes = APIRouter(prefix=PREFIX, tags=["admin"], dependencies=guards(admin, near))

    @routes.get("/catalog")
    async def catalog() -> JSONResponse:
        """Show the models behind the tiers, their prices, and when they end."""
        return JSONResponse(
            {
                "object": "catalog",
                "version": __version__,
                "simulated": shown.simulated,
                "models": _models(shown.catalog, admin.wall()),
            }
        )

    @routes.get("/metrics")
    async def metrics() -> Response:
        """Show the metrics to whoever may administer, where `/metrics` is for this machine only."""
        return Response(await run_in_threadpool(shown.render, ""), media_type="text/plain")

    @routes.get("/whatif")
    async def what_if() -> JSONResponse:
        """Decide the recent calls again, dial by dial, and add up what that would have come to."""
        recent = await shown.decisions.look()
        found = (decision.choice for decision in recent.newest_first() if decision.seen)
        choices = [choice for choice in islice(found, MOST_AGAIN) if choice is not None]
        dials = await run_in_threadpool(at_dials, choices, DIALS)
        return JSONResponse(
            {
                "object": "whatif",
                "calls": len(choices),
                "decided": _sums(sums([choice.chosen for choice in choices])),
                "dials": [{"dial": dial, **_sums(there)} for dial, there in dials],
            }
        )

    return routes


def _sums(found: Sums) -> dict[str, Any]:
    tiers = dict(zip(TIER_LABELS, found.tiers, strict=True))
    return {
        "tiers": tiers,
        "cost_usd": spell(found.cost),
        "quality": round(found.quality, 4),
    }


def _models(catalog: Catalog, now: float) -> list[dict[str, Any]]:
    rows = []
    today = int(now // SECONDS_A_DAY)
    for tier, model in catalog.models():
        price, ends = model.price, model.shutdown
        days = None if ends is None else ends.toordinal() - EPOCH_ORDINAL - today
        rows.append(
            {
                "tier": tier.label,
                "model": model.name,
                "deployments": [d.name for d in catalog.tiers[tier] if d.model is model],
                "usd_per_million": {
                    "prompt": _per_million(price.prompt),
                    "cached": _per_million(price.cached),
                    "completion": _per_million(price.completion),
                },
                "context_window": model.context_window,
                "max_output": model.max_output,
                "shutdown_date": ends.isoformat() if ends is not None else None,
                "days_left": days,
            }
        )
    return rows


def _per_million(price: NanoUSD) -> str:
    return spell(NanoUSD(price * MILLION))
