"""Writes what an import made as a tiergate.yaml that says why each line is there."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from gateway.catalog import TIER_LABELS
from gateway.settings.litellm_models import KEYLESS, Endpoint, number
from gateway.settings.litellm_rest import Setting
from gateway.settings.litellm_tiers import Priced, Tiers, priced, weights
from gateway.settings.presets import presets

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
# YAML reads these as something else than text.
_NUMBERS = re.compile(r"[0-9.eE_+-]+|true|false|yes|no|on|off|null", re.IGNORECASE)
_SUPPORTS = {
    "supports_function_calling": "tools",
    "supports_parallel_function_calling": "parallel_tools",
    "supports_response_schema": "json_schema",
    "supports_vision": "vision",
    "supports_audio_input": "audio",
    "supports_reasoning": "reasoning",
}
_LIKELY = ("tools", "json_schema")
_WINDOW = 128_000
_OUTPUT = 4_096
"""Assumed where nothing is said: what nearly every model of the last years takes and gives."""

_HEAD = """\
# Imported from a LiteLLM configuration by `tiergate import litellm`; `tiergate check` checks it.
#
# A call for `auto` goes to the smallest tier that is good enough. A call for `nano`, `mini` or
# `full`, or for a model that stands behind one, goes there.
"""


class Written(NamedTuple):
    """What is to be written."""

    tiers: Tiers
    aliases: Mapping[str, str]
    settings: list[Setting]
    secrets: Mapping[str, str]


def written(what: Written) -> tuple[str, tuple[str, ...]]:
    """The file's text, and the variables it names."""
    lines = [*_catalog(what), *_settings(what.settings)]
    body = "\n".join(lines) + "\n"
    variables = tuple(dict.fromkeys(_VARIABLE.findall(body)))
    told = [f"#   {name}{_moved(name, what.secrets)}" for name in variables]
    needs = ["#", "# It needs these variables in the environment:", *told] if told else []
    return "\n".join((_HEAD.rstrip("\n"), *needs, "", body)), variables


def _moved(name: str, secrets: Mapping[str, str]) -> str:
    return "  (a secret that stood in the file)" if name in secrets.values() else ""


def _catalog(what: Written) -> Iterator[str]:
    if not any(what.tiers):
        yield "# No model could be taken over: the tiers are those of a known family."
        yield "catalog:"
        yield "  preset: gpt-4.1"
        return
    yield "catalog:"
    described = [line for e in _distinct(what.tiers) for line in _model(e)]
    if described:
        yield "  models:"
        yield from described
    yield "  tiers:"
    for label, tier in zip(TIER_LABELS, what.tiers, strict=True):
        yield f"    {label}:"
        for endpoint, weight in zip(tier, weights(tier), strict=True):
            yield from _deployment(endpoint, weight)
    if what.aliases:
        yield "  # Names that callers used and that no model here has: routed as `auto`."
        yield "  reroute:"
        for alias, model in what.aliases.items():
            pinned = f"  # who wants this model for sure asks for {model}" if model else ""
            yield f"    - {_quoted(alias)}{pinned}"


def _distinct(tiers: Tiers) -> list[Endpoint]:
    return list({tier[0].model: tier[0] for tier in tiers}.values())


def _model(endpoint: Endpoint) -> Iterator[str]:
    said = list(_said_of(endpoint, priced(endpoint)))
    if said:
        yield f"    {_quoted(endpoint.model)}:"
        yield from (f"      {line}" for line in said)


def _said_of(endpoint: Endpoint, price: Priced) -> Iterator[str]:
    info = endpoint.info
    if price.known and price.known != endpoint.model:
        yield f"like: {price.known}"
    if price.guessed:
        what = "no price: a server of your own" if endpoint.local else "a GUESS, put the real one"
        yield f"# {what} (dollars per million tokens)"
    if price.price:
        yield from _prices(price)
    window = number(info.get("max_input_tokens")) or (0 if price.known else _WINDOW)
    output = number(info.get("max_output_tokens")) or number(info.get("max_tokens"))
    if window:
        yield f"context_window: {window}"
    if output or not price.known:
        yield f"max_output: {output or _OUTPUT}"
    can = [name for word, name in _SUPPORTS.items() if info.get(word) is True]
    if can or not price.known:
        yield f"capabilities: [{', '.join(can or _LIKELY)}]"


def _prices(price: Priced) -> Iterator[str]:
    parts = dict(price.price)
    if price.known and (published := presets().models[price.known].price) is not None:
        # Of a known model LiteLLM may name one price only; the others are still the published ones.
        parts.setdefault("prompt", Decimal(published.prompt) / 1_000)
        parts.setdefault("completion", Decimal(published.completion) / 1_000)
    told = ", ".join(f"{name}: {amount:f}" for name, amount in parts.items())
    yield f"price: {{ {told} }}"


def _deployment(endpoint: Endpoint, weight: int) -> Iterator[str]:
    yield f"      - model: {_quoted(endpoint.model)}  # {endpoint.place}"
    if endpoint.base_url:
        yield f"        base_url: {_quoted(endpoint.base_url)}"
    keyless = "  # it needs none, and must not see another's" if endpoint.key == KEYLESS else ""
    yield f"        key: {_quoted(endpoint.key)}{keyless}"
    if weight > 1:
        yield f"        weight: {weight}"
    if endpoint.max_parallel:
        yield f"        max_parallel: {endpoint.max_parallel}"


def _settings(settings: list[Setting]) -> Iterator[str]:
    ordered = sorted(settings, key=lambda setting: setting.section)
    for section, group in groupby(ordered, key=lambda setting: setting.section):
        yield f"{section}:"
        yield from (f"  {s.name}: {_value(s.value)}  # {s.why}" for s in group)


def _value(text: str) -> str:
    return text if re.fullmatch(r"\d+|[a-z]+|[\d.]+s|\d+MiB", text) else _quoted(text)


def _quoted(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and not _NUMBERS.fullmatch(text)
    return text if plain else json.dumps(text)
