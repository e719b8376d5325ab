"""What the operator should know though nothing is wrong: shutdowns, odd prices, keys in the clear.

Pure: the day is an argument. Like complaints, it quotes no value but names of models, deployments
and variables.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from urllib.parse import urlsplit

from gateway.catalog import Catalog, Model
from gateway.settings.access import levels
from gateway.settings.addresses import host_of
from gateway.settings.catalog import known_models
from gateway.settings.complaints import dotted
from gateway.settings.overrides import unknown
from gateway.settings.presets import presets
from gateway.settings.schema import Settings
from gateway.settings.tiers import TiersSettings

# Long enough to try a successor, short enough to be read.
NOTICE_DAYS = 30
GRPC_PORT = 4317


def warnings(
    settings: Settings, catalog: Catalog, *, today: date, environ: Mapping[str, str]
) -> list[str]:
    """Every warning, one sentence each."""
    return [
        *_shutdowns(settings, catalog, today),
        *_prices(catalog),
        *_unused(settings, catalog),
        *_notes(settings),
        *_unencrypted(catalog),
        *_keyless(settings, catalog),
        *_access(settings, catalog),
        *_collector(settings),
        *unknown(environ),
    ]


def _shutdowns(settings: Settings, catalog: Catalog, today: date) -> Iterator[str]:
    if settings.simulate.enabled:
        return
    known = known_models(settings.catalog)
    for tier, model in catalog.models():
        if model.shutdown is None or (model.shutdown - today).days > NOTICE_DAYS:
            continue
        days = (model.shutdown - today).days
        when = f"will be switched off on {model.shutdown} ({days} days from now)"
        if days <= 0:
            when = f"was switched off on {model.shutdown}"
        moves = any(one.model is model and one.successor for one in catalog.tiers[tier])
        said = known.get(model.name)
        then = f" Its successor is {said.successor}" if said and said.successor else ""
        if moves:
            yield f"{model.name} (tier {tier.label}) {when}.{then}, which takes its place."
            continue
        yield (
            f"{model.name} (tier {tier.label}) {when}.{then}{'.' if then else ''} Choose another "
            f"with `catalog: PRESET` or `catalog.tiers.{tier.label}: MODEL`."
        )


def _prices(catalog: Catalog) -> Iterator[str]:
    for smaller, larger in pairwise(sorted(catalog.tiers)):
        cheap, dear = catalog.models_by_tier[smaller], catalog.models_by_tier[larger]
        if _dearness(cheap) > _dearness(dear):
            yield (
                f"{cheap.name} (tier {smaller.label}) costs more than {dear.name} (tier "
                f"{larger.label}): are the tiers in order, and the prices per million tokens?"
            )


def _dearness(model: Model) -> int:
    """A call's price at the usual three prompt tokens to one of the answer."""
    return 3 * model.price.prompt + model.price.completion


def _unused(settings: Settings, catalog: Catalog) -> Iterator[str]:
    for name in settings.catalog.models:
        if name not in catalog.by_model:
            yield f"{name} is described under `catalog.models` but stands behind no tier."


def _notes(settings: Settings) -> Iterator[str]:
    family = presets().presets.get(settings.catalog.preset)
    if family and family.note and settings.catalog.tiers == TiersSettings():
        yield f"catalog {settings.catalog.preset}: {family.note}."


def _unencrypted(catalog: Catalog) -> Iterator[str]:
    for deployment in catalog.deployments():
        parts = urlsplit(deployment.base_url)
        if deployment.key and parts.scheme == "http" and not _is_near(parts.hostname or ""):
            yield f"deployment {deployment.name} sends its key unencrypted: use https."


def _keyless(settings: Settings, catalog: Catalog) -> Iterator[str]:
    if settings.catalog.key is None or settings.simulate.enabled:
        return
    for deployment in catalog.deployments():
        if not deployment.key and not _is_near(urlsplit(deployment.base_url).hostname or ""):
            yield (
                f"deployment {deployment.name} is called without a key: the catalog's is for "
                f"{host_of(settings.catalog.base_url)} only. Give it a `key` of its own."
            )


def _access(settings: Settings, catalog: Catalog) -> Iterator[str]:
    if settings.access.open and settings.keys:
        yield (
            "access.open lets callers without a key in, past the limits of every key: leave it out "
            "to close the gateway to them."
        )
    elif not settings.access.open and not settings.keys and not _is_loopback(settings.server.host):
        yield (
            "No keys are configured: callers from other machines are refused until there is one "
            "(`tiergate keys create NAME`), or `access.open: true` lets anyone spend."
        )
    for where, said in levels(settings):
        for model in said.models or ():
            if model not in catalog.by_model:
                yield f"{dotted(where)} may use {model}, which stands behind no tier."


def _collector(settings: Settings) -> Iterator[str]:
    if settings.tracing.endpoint and urlsplit(settings.tracing.endpoint).port == GRPC_PORT:
        yield (
            f"tracing.endpoint leads to port {GRPC_PORT}, where collectors speak gRPC; traces "
            "leave over HTTP, for which the port is usually 4318."
        )


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a name may lead anywhere but for one."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_near(host: str) -> bool:
    """Whether a host is this machine, or a name or address of a private network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost", ".svc"))
