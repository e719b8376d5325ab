"""The published documentation of the settings, made from the settings: JSON schema and Markdown.

Both files in `docs/` are printed by `tiergate schema`; a test keeps them true.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.catalog import Model
from gateway.prices import WHOLE, Price
from gateway.settings.catalog import model_from
from gateway.settings.complaints import Place, dotted
from gateway.settings.overrides import variables
from gateway.settings.presets import presets
from gateway.settings.prices import (
    NUMBER,
    KindPriceSettings,
    PassedPriceSettings,
    PriceSettings,
    ServicePriceSettings,
)
from gateway.settings.schema import Settings
from gateway.settings.section import Section
from gateway.settings.terms import (
    AccessSettings,
    KeySettings,
    OrganisationSettings,
    TeamSettings,
    TermsSettings,
)
from gateway.settings.tiers import (
    CatalogSettings,
    DeploymentSettings,
    ModelSettings,
    ParameterSettings,
)
from gateway.settings.units import spell_octets, spell_seconds

# A value may come from the environment; an editor must not call that a mistake.
FILLED = {"type": "string", "pattern": r"\$\{"}
FILLABLE = frozenset({"integer", "number", "boolean", "array"})
ABOUT = ("default", "description")

INTRODUCTION = """\
# Configuration

<!-- Printed by `tiergate schema --markdown`. Edit the descriptions in gateway/settings instead. -->

None is needed: with `OPENAI_API_KEY` set, `tiergate serve` serves the three tiers; with nothing set
it answers from a simulation.

One YAML file says the rest: `tiergate serve --config FILE`, else the file that `TIERGATE_CONFIG`
names, else `tiergate.yaml` in the working directory. `tiergate check` reads it and lists everything
that is wrong, with line numbers. An editor with YAML support checks it against
[tiergate.schema.json](tiergate.schema.json).

```yaml
# yaml-language-server: $schema=tiergate.schema.json
server:
  port: 9000
catalog:
  key: ${OPENAI_API_KEY}
  tiers:
    full:                             # two addresses share the largest tier
      - { model: gpt-4.1, name: full-eu, base_url: "https://eu.api.openai.com/v1", weight: 3 }
      - { model: gpt-4.1, name: full-us }
routing:
  quality: 0.6
```

- **Values from the environment**: `${NAME}` and `${NAME:-default}` in any value. They are filled
  after the YAML was read, so a variable cannot change the file's structure; `$${` is a literal
  `${`. A missing variable without default is refused.
- **Overrides**: every scalar setting has a variable, named below, which wins over the file; lists
  are comma-separated. `GATEWAY_REDIS_URL` alone moves keys, money and quotas to Redis.
  `OPENAI_API_KEY` and `OPENAI_BASE_URL` are used where neither says anything.
- **Durations** are written `250ms`, `10s`, `5m`, `2h`, or as a number of seconds; **sizes** as
  `64KiB`, `32MiB` (or `KB`, `MB`: powers of ten), or as a number of bytes.
- **Keys** are refused at start when they are empty, contain spaces or line breaks, or look like a
  placeholder. No message, log or page ever shows one.
- **Unknown names** are refused, with the nearest right one.
"""

TERMS: tuple[tuple[str, str, type[Section]], ...] = (
    (
        "keys[…]",
        "A list of keys. Beside what is said here, each may carry the terms below.",
        KeySettings,
    ),
    ("teams.NAME", "Likewise with the terms below.", TeamSettings),
    ("organisations.NAME", "The terms below.", OrganisationSettings),
    (
        "Terms of a key, a team or an organisation",
        "A call must pass the allowances and quotas of all its levels; see [keys.md](keys.md).",
        TermsSettings,
    ),
)
PARTS: tuple[tuple[str, str, type[Section]], ...] = (
    ("catalog.models.NAME", "A name known below needs only what differs.", ModelSettings),
    ("catalog.models.NAME.price", "In dollars per million tokens.", PriceSettings),
    ("catalog.models.NAME.price.audio", "`images` likewise.", KindPriceSettings),
    (
        "catalog.models.NAME.price.services.NAME",
        "A bare number is short for `{times: NUMBER}`; see [keys.md](keys.md).",
        ServicePriceSettings,
    ),
    (
        "catalog.models.NAME.parameters",
        "See [deployments.md](deployments.md#parameters); a deployment may have its own.",
        ParameterSettings,
    ),
    (
        "catalog.prices.NAME",
        "In dollars per million tokens; the known ones need not be said.",
        PassedPriceSettings,
    ),
    (
        "catalog.tiers.TIER[…]",
        "A tier is a model name, one deployment, or a list of deployments of one model.",
        DeploymentSettings,
    ),
)


def json_schema() -> str:
    """The JSON schema of the configuration file."""
    schema = Settings.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Tiergate configuration"
    parts = schema["$defs"]
    for model in (schema, *parts.values()):
        model.pop("default", None)
        model["properties"] = {n: _fillable(p) for n, p in model.get("properties", {}).items()}
    for section, short in (("catalog", "string"), ("simulate", "boolean")):
        whole = schema["properties"][section]
        reference = {"$ref": whole.pop("$ref")}
        whole["anyOf"] = [reference, {"type": short}]
    name = {"type": "string"}
    deployment = {"anyOf": [name, {"$ref": "#/$defs/DeploymentSettings"}]}
    tier = {"anyOf": [*deployment["anyOf"], {"type": "array", "items": deployment, "minItems": 1}]}
    for priced in ("PriceSettings", "PassedPriceSettings"):
        ways = parts[priced]["properties"]["services"]
        ways["additionalProperties"] = {"anyOf": [ways["additionalProperties"], NUMBER]}
    tiers = parts["TiersSettings"]["properties"]
    for label, said in tiers.items():
        tiers[label] = {"description": said["description"], **tier}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _fillable(said: dict[str, Any]) -> dict[str, Any]:
    """Allow `${…}` wherever something other than text is asked for."""
    said.pop("title", None)
    if "$ref" in said:
        said.pop("default", None)
    said.pop("x-kind", None)
    kinds = [said] if "type" in said else said.get("anyOf", [])
    if "$ref" in said.get("items", {}):
        return said
    if not any(k.get("type") in FILLABLE or "enum" in k for k in kinds) or FILLED in kinds:
        return said
    if any("${" in k.get("pattern", "").replace("\\", "") for k in kinds):
        return said
    about: dict[str, Any] = {k: said.pop(k) for k in ABOUT if k in said}
    alternatives = said.pop("anyOf", None) or [said]
    return {**about, "anyOf": [*alternatives, FILLED]}


def markdown() -> str:
    """The reference for people."""
    names = {place: name for name, place in variables().items()}
    lines = [INTRODUCTION]
    for section, kind in _sections(Settings):
        lines.append(f"## {section}\n\n{kind.__doc__}\n")
        lines += [*_table(kind, (section,), names), ""]
        if kind is CatalogSettings:
            lines += _parts("###", PARTS)
        if kind is AccessSettings:
            lines += _parts("##", TERMS)
    lines += _models()
    return "\n".join(lines).rstrip() + "\n"


def _sections(kind: type[Section]) -> Iterator[tuple[str, type[Section]]]:
    """The settings that are groups of settings."""
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield name, inner


def _parts(mark: str, parts: Iterable[tuple[str, str, type[Section]]]) -> Iterator[str]:
    for title, about, kind in parts:
        yield f"{mark} {title}\n\n{about}\n"
        if kind is not OrganisationSettings:
            yield from _table(kind, (), {})
            yield ""


Names = Mapping[Place, str]


def _table(kind: type[Section], place: Place, names: Names) -> Iterator[str]:
    yield "| setting | default | meaning |" + (" variable |" if names else "")
    yield "|---|---|---|" + ("---|" if names else "")
    yield from _rows(kind, place, names)


def _rows(kind: type[Section], place: Place, names: Names) -> Iterator[str]:
    groups = dict(_sections(kind))
    told_once = TermsSettings.model_fields if kind is not TermsSettings else {}
    for name, said in kind.model_json_schema()["properties"].items():
        if issubclass(kind, TermsSettings) and name in told_once:
            continue
        if name in groups:
            yield from _rows(groups[name], (*place, name), names)
            continue
        variable = names.get((*place, name))
        cell = f" `{variable}` |" if variable else " – |" if names else ""
        shown = dotted((*place[1:], name))
        yield f"| `{shown}` | {_default(said)} | {said['description']}{_bounds(said)} |{cell}"


def _default(said: dict[str, Any]) -> str:
    value = said.get("default")
    if "default" not in said and said.get("type") != "object":
        return "required"
    if value is None or value in ([], {}):
        return "–"
    return f"`{_spelled(value, said.get('x-kind'))}`"


def _spelled(value: Any, kind: str | None) -> str:  # noqa: ANN401 - any JSON value
    """A default as one would write it in the file."""
    if kind == "duration":
        return spell_seconds(value)
    if kind == "size":
        return spell_octets(value)
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    if isinstance(value, str):
        return value
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


def _bounds(said: dict[str, Any]) -> str:
    """What a cell adds about the values that are allowed."""
    parts = [said, *said.get("anyOf", [])]
    for part in parts:
        choice, words = ("Any of", part["items"]) if "items" in part else ("One of", part)
        if "enum" in words:
            return f" {choice} " + ", ".join(f"`{word}`" for word in words["enum"]) + "."
    if "maximum" in said and "minimum" in said:
        return f" From {said['minimum']} to {said['maximum']}."
    return ""


def _models() -> Iterator[str]:
    known = presets()
    yield "## Known presets\n\n`catalog: NAME` puts a whole family behind the tiers.\n"
    yield "| preset | nano | mini | full | to know |"
    yield "|---|---|---|---|---|"
    for name, family in known.presets.items():
        models = " | ".join(f"`{family.model(label)}`" for label in ("nano", "mini", "full"))
        yield f"| `{name}` | {models} | {family.note or '–'} |"
    yield "\n## Known models\n"
    yield "Prices are dollars per million tokens; the shutdown is the day OpenAI announced.\n"
    yield "Other prices are prompt, cached and completion, or times (×) the usual one.\n"
    names = "window | longest prompt | answer | shutdown"
    yield f"| model | prompt | cached | completion | other prices | {names} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, said in known.models.items():
        yield from _model(said, model_from(name, said))
    yield "\n## Retired names\n"
    yield "Requests for these are routed like `auto`, unless the model stands behind a tier or"
    yield "`catalog.reroute` lists others:\n"
    yield ", ".join(f"`{name}` ({day})" for name, day in sorted(known.retired.items())) + "."


def _model(said: ModelSettings, *models: Model | None) -> Iterator[str]:
    for model in filter(None, models):
        price = model.price
        cells = [*_amounts(price), "; ".join(_others(price)) or "–"]
        tokens = (said.context_window, said.max_prompt, model.max_output)
        cells += [f"{count:,}" if count else "–" for count in tokens]
        yield f"| `{model.name}` | {' | '.join(cells)} | {model.shutdown or '–'} |"


def _amounts(price: Price) -> list[str]:
    return [f"{amount / 1000:g}" for amount in (price.prompt, price.cached, price.completion)]


def _others(price: Price) -> Iterator[str]:
    for name, kind in (("audio", price.audio), ("images", price.images)):
        if kind is not None:
            yield f"{name} {' · '.join(_amounts(kind))}"
    for name, way in price.services:
        own = way.mille == WHOLE
        yield f"{name} {' · '.join(_amounts(way))}" if own else f"{name} × {way.mille / WHOLE:g}"
