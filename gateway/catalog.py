"""What can be called: tiers are roles, models are published goods, deployments are addresses.

Nothing here knows a model by name; names, prices and windows are data (`gateway.settings`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, Flag, IntEnum, auto

from gateway.prices import Price


class Tier(IntEnum):
    """A role, not a model: NANO < MINI < FULL."""

    NANO = 0
    MINI = 1
    FULL = 2

    @property
    def label(self) -> str:
        """The tier as callers, headers and metrics spell it."""
        return TIER_LABELS[self]


AUTHORIZATION = "authorization"
"""The header that carries a key after the word `Bearer`; any other carries it bare."""

SHORTEST_CREDENTIAL = 16
"""Characters; what is shorter in a header is a name or a switch, and may well stand in a log."""

TIER_LABELS = ("nano", "mini", "full")
TIERS_BY_LABEL: Mapping[str, Tier] = {label: Tier(i) for i, label in enumerate(TIER_LABELS)}


class Capability(Flag):
    """What a model can do and a call can need."""

    NONE = 0
    TOOLS = auto()
    PARALLEL_TOOLS = auto()
    JSON_SCHEMA = auto()
    VISION = auto()
    AUDIO = auto()
    LOGPROBS = auto()
    REASONING = auto()


class ImageFormula(Enum):
    """How a model's images are counted in tokens (`gateway.classify.images`)."""

    TILES = "tiles"
    PATCHES = "patches"


@dataclass(frozen=True, slots=True)
class Model:
    """A published model.

    `context_window` and `max_output` are tokens; `image_multiplier` scales patch counts.
    """

    name: str
    price: Price
    context_window: int
    max_output: int
    capabilities: Capability = Capability.NONE
    knowledge_cutoff: date | None = None
    shutdown: date | None = None
    image_formula: ImageFormula = ImageFormula.TILES
    image_multiplier: float = 1.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a model takes of a call's parameters, where that is not all of them.

    `limit` is the only name it knows for an answer's limit ("": both); `drops` are members it
    refuses, `drops_reasoning` those it refuses while it reasons, `reasons` says whether it does so
    unasked. `role` is the only one it knows for instructions ("": both).
    `tools_without_reasoning`: on the chat API it takes tools only with `reasoning_effort: none`.
    A call without any of the `watched` members suits it.
    """

    limit: str = ""
    drops: frozenset[str] = frozenset()
    drops_reasoning: frozenset[str] = frozenset()
    reasons: bool = True
    tools_without_reasoning: bool = False
    role: str = ""
    stream_options: bool = True
    watched: frozenset[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        watched = set(self.drops | self.drops_reasoning)
        watched |= {"max_tokens", "max_completion_tokens"} if self.limit else set()
        watched |= {"messages"} if self.role else set()
        watched |= {"tools", "functions"} if self.tools_without_reasoning else set()
        watched |= set() if self.stream_options else {"stream_options"}
        object.__setattr__(self, "watched", frozenset(watched))


ALL_PARAMETERS = Parameters()
"""A model that takes whatever is sent; compared by identity."""


class Secret:
    """A credential that no log, error or repr can spell; `reveal()` is the only way out."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The credential itself, for the one place that sends it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(***)"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A model at an address with a key.

    `name` is unique in the catalog and safe as a metric label; `weight` shares a tier's calls;
    `max_parallel` caps the calls in flight (0: no cap). `upstream_model` is the name to send
    instead of the model's ("": none). `azure`: it stands in the path, as Azure's older API has it.
    The key goes into `key_header`; `headers` (lower-case names) are sent with every call.
    `successor` takes its place when its model ends, and is `instead_of` that model.
    """

    name: str
    model: Model
    base_url: str
    key: Secret
    weight: int = 1
    max_parallel: int = 0
    upstream_model: str = ""
    azure: bool = False
    key_header: str = AUTHORIZATION
    headers: tuple[tuple[str, Secret], ...] = ()
    parameters: Parameters = ALL_PARAMETERS
    successor: "Deployment | None" = None
    instead_of: str = ""

    def secrets(self) -> Iterator[Secret]:
        """What must not be shown: its key, and headers long enough to be credentials."""
        yield self.key
        for _, value in self.headers:
            if len(value.reveal()) >= SHORTEST_CREDENTIAL:
                yield value


@dataclass(slots=True)
class Catalog:
    """Every tier with its deployments, and the retired names that are routed afresh.

    `version` changes whenever anything that could change an answer does: it is part of cache keys.
    One thing changes while a gateway runs: a deployment whose model ends goes on with another
    (`succeed`). Whatever is derived from a catalog holds for one version of it. `former` are the
    names of models that ended, with the tier they stood behind.
    `prices` are those of further models, which are passed on but never chosen.
    """

    tiers: Mapping[Tier, tuple[Deployment, ...]]
    reroute: frozenset[str] = frozenset()
    version: str = ""
    prices: Mapping[str, Price] = field(default_factory=dict)
    by_model: Mapping[str, tuple[Tier, Model]] = field(init=False)
    by_name: Mapping[str, tuple[Tier, Deployment]] = field(init=False)
    models_by_tier: Mapping[Tier, Model] = field(init=False)
    former: dict[str, Tier] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        found: dict[str, tuple[Tier, Model]] = {}
        for tier, model in self.models():
            found.setdefault(model.name, (tier, model))
        self.by_model = found
        self.by_name = {d.name: (tier, d) for tier, listed in self.tiers.items() for d in listed}
        self.models_by_tier = {tier: listed[0].model for tier, listed in self.tiers.items()}

    def price(self, name: str) -> Price | None:
        """What a model costs, whether it stands behind a tier or not."""
        found = self.by_model.get(name)
        return self.prices.get(name) if found is None else found[1].price

    def models(self) -> Iterator[tuple[Tier, Model]]:
        """Each model once, smallest tier first."""
        seen: set[str] = set()
        for tier in sorted(self.tiers):
            for deployment in self.tiers[tier]:
                if deployment.model.name not in seen:
                    seen.add(deployment.model.name)
                    yield tier, deployment.model

    def deployments(self) -> Iterator[Deployment]:
        """Every deployment, smallest tier first."""
        for tier in sorted(self.tiers):
            yield from self.tiers[tier]

    def ever(self) -> Iterator[Model]:
        """Every model that stands behind a tier, or will when others end."""
        for deployment in self.deployments():
            here: Deployment | None = deployment
            while here is not None:
                yield here.model
                here = here.successor

    def succeed(self, deployment: Deployment) -> Deployment | None:
        """Put a deployment's successor in its place; None if there is none, or it stands there."""
        tier, here = self.by_name.get(deployment.name, (Tier.NANO, None))
        successor = deployment.successor
        if here is not deployment or successor is None:
            return None
        listed = tuple([successor if d is here else d for d in self.tiers[tier]])
        self.tiers = {**self.tiers, tier: listed}
        first = self.version.partition("+")[0]
        moved = [f"{d.name}={d.model.name}" for d in self.deployments() if d.instead_of]
        self.version = "+".join((first, *sorted(moved)))
        self.__post_init__()
        if deployment.model.name not in self.by_model:
            self.former.setdefault(deployment.model.name, tier)
        return successor
