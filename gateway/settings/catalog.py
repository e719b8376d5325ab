"""Builds the catalog from the settings, and says what in them does not fit together.

Refuses unknown presets and models, models without price or window, two models in one tier,
deployments of one name, and calls to OpenAI without a key. Decides nothing about calls.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from gateway.catalog import (
    AUTHORIZATION,
    TIER_LABELS,
    Capability,
    Catalog,
    Deployment,
    ImageFormula,
    Model,
    Secret,
    Tier,
)
from gateway.prices import Price
from gateway.settings.addresses import Address, addressed, host_of, is_azure, is_openai
from gateway.settings.complaints import Complaint, Flaw, Place, SettingsError, dotted, nearest
from gateway.settings.parameters import merged, parameters, spelled
from gateway.settings.presets import presets
from gateway.settings.prices import PriceSettings, merged as priced_over, priced
from gateway.settings.schema import Settings
from gateway.settings.tiers import CatalogSettings, DeploymentSettings, ModelSettings

NO_KEY = Secret("")
# `gpt-4.1-2025-04-14` is a dated snapshot of `gpt-4.1`.
SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
# Twelve hexadecimal digits tell a few thousand configurations apart with room to spare.
VERSION_DIGITS = 12


def build(settings: Settings, *, simulated_url: str | None = None) -> Catalog:
    """Build the catalog; with `simulated_url`, every deployment is the simulation, without a key.

    Raises:
        SettingsError: the settings do not fit together.
    """
    tiers = _Tiers(settings)
    if tiers.flaws:
        raise SettingsError(Complaint(0, dotted(f.place), f.message) for f in tiers.flaws)
    found = tiers.found
    if simulated_url is not None:
        found = {
            tier: tuple(_at(d, simulated_url) for d in listed) for tier, listed in found.items()
        }
    reroute = _reroute(settings.catalog, {d.model.name for ds in found.values() for d in ds})
    simulated = tiers.simulated or simulated_url is not None
    version = _version(tiers.found, reroute, simulated=simulated)
    return Catalog(found, reroute, version, _prices(settings.catalog))


def flaws(settings: Settings) -> list[Flaw]:
    """What does not fit together."""
    return _Tiers(settings).flaws


def known_models(catalog: CatalogSettings) -> dict[str, ModelSettings]:
    """Every model that has a name, the operator's laid over the known ones."""
    known: dict[str, ModelSettings] = dict(presets().models)
    for name, said in catalog.models.items():
        base = known.get(said.like or name, ModelSettings())
        update = {field: getattr(said, field) for field in said.model_fields_set}
        if said.parameters is not None and base.parameters is not None:
            update["parameters"] = merged(base.parameters, said.parameters)
        if said.price is not None:
            update["price"] = priced_over(base.price, said.price)
        known[name] = base.model_copy(update=update)
    return known


def _at(deployment: Deployment, url: str) -> Deployment:
    weight, most = deployment.weight, deployment.max_parallel
    name, model, takes = deployment.name, deployment.model, deployment.parameters
    return Deployment(name, model, url, NO_KEY, weight, most, parameters=takes)


def _reroute(catalog: CatalogSettings, standing: set[str]) -> frozenset[str]:
    if catalog.reroute is not None:
        return frozenset(catalog.reroute)
    retired = presets().retired
    return frozenset(n for n in retired if standing.isdisjoint((n, SNAPSHOT.sub("", n))))


def _version(
    tiers: Mapping[Tier, Iterable[Deployment]], reroute: frozenset[str], *, simulated: bool
) -> str:
    """Hash what could change an answer: not keys, prices, dates or weights."""
    told = [
        (tier.label, m.name, url, d.upstream_model, *_abilities(m), spelled(d.parameters))
        for tier, listed in sorted(tiers.items())
        for d in listed
        for m, url in ((d.model, "" if simulated else d.base_url),)
    ]
    text = json.dumps([simulated, told, sorted(reroute)])
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]


def _abilities(model: Model) -> tuple[int, int, int]:
    return model.context_window, model.max_output, model.capabilities.value


def model_from(name: str, said: ModelSettings) -> Model | None:
    """Make the noun; None if price, window or output limit is missing."""
    if said.price is None or said.context_window is None or said.max_output is None:
        return None
    capabilities = Capability.NONE
    for capability in said.capabilities or ():
        capabilities |= Capability[capability.upper()]
    window = said.context_window
    return Model(
        name,
        priced(said.price),
        # The window is what prompts are held against, so the stricter limit counts.
        context_window=min(window, said.max_prompt or window),
        max_output=said.max_output,
        capabilities=capabilities,
        knowledge_cutoff=said.knowledge_cutoff,
        shutdown=said.shutdown,
        image_formula=ImageFormula(said.images or "tiles"),
        image_multiplier=said.image_multiplier or 1.0,
    )


def _prices(catalog: CatalogSettings) -> dict[str, Price]:
    """Every price that is known, of models behind a tier and of others."""
    known: dict[str, PriceSettings] = dict(presets().prices)
    models = known_models(catalog).items()
    known |= {name: said.price for name, said in models if said.price is not None}
    known |= {name: priced_over(known.get(name), said) for name, said in catalog.prices.items()}
    return {name: priced(said) for name, said in known.items()}


class _Tiers:
    """Resolves every tier, collecting what is wrong on the way."""

    def __init__(self, settings: Settings) -> None:
        self.catalog = settings.catalog
        self.simulated = settings.simulate.enabled
        self.known = known_models(self.catalog)
        self.flaws: list[Flaw] = []
        self.found: dict[Tier, tuple[Deployment, ...]] = {}
        self._names: set[str] = set()
        self._check_models()
        for label in TIER_LABELS:
            self._resolve(label)
        wanted = settings.passthrough.deployment
        if wanted is not None and wanted not in self._names:
            message = f"is no deployment{nearest(wanted, self._names)}"
            self.flaws.append(Flaw(("passthrough", "deployment"), message))

    def _check_models(self) -> None:
        names = set(presets().models)
        for name, said in self.catalog.models.items():
            place: Place = ("catalog", "models", name)
            if said.like is not None and said.like not in names:
                message = f"is no known model{nearest(said.like, names)}"
                self.flaws.append(Flaw((*place, "like"), message))
            elif missing := self._missing(name):
                message = f"is no known model, so it needs {missing}{nearest(name, names)}"
                self.flaws.append(Flaw(place, message))

    def _missing(self, name: str) -> str:
        said = self.known[name]
        needed = ("price", "context_window", "max_output")
        return ", ".join(field for field in needed if getattr(said, field) is None)

    def _resolve(self, label: str) -> None:
        place: Place = ("catalog", "tiers", label)
        listed: tuple[DeploymentSettings, ...] | None = getattr(self.catalog.tiers, label)
        if listed is None:
            place, listed = ("catalog",), self._preset(label)
        if len({said.model for said in listed}) > 1:
            message = "lists different models; a tier is one model at any number of addresses"
            self.flaws.append(Flaw(place, message))
        found = []
        for i, said in enumerate(listed):
            name = said.name or (label if len(listed) == 1 else f"{label}-{i + 1}")
            if name in self._names:
                message = "has the name of another deployment"
                self.flaws.append(Flaw((*place, i, "name"), message))
            self._names.add(name)
            found.append(self._deployment(name, said, (*place, i)))
        self.found[Tier[label.upper()]] = tuple(d for d in found if d is not None)

    def _preset(self, label: str) -> tuple[DeploymentSettings, ...]:
        families = presets().presets
        family = families.get(self.catalog.preset)
        if family is not None:
            return (DeploymentSettings(model=getattr(family, label)),)
        place: Place = ("catalog", "preset")
        if not any(flaw.place == place for flaw in self.flaws):
            known = ", ".join(families)
            near = nearest(self.catalog.preset, families)
            self.flaws.append(Flaw(place, f"is no known preset; there are {known}{near}"))
        return ()

    def _deployment(self, name: str, said: DeploymentSettings, place: Place) -> Deployment | None:
        address = self._address(said, place)
        key = said.key or self._shared_key(address.url)
        if not key and not self.simulated and is_openai(address.url):
            self._no_key(place)
        if said.model not in self.known:
            near = nearest(said.model, self.known)
            message = f"is no known model{near}; describe it under `catalog.models`"
            self.flaws.append(Flaw((*place, "model"), message))
            return None
        model = model_from(said.model, self.known[said.model])
        if model is None:
            return None
        azure = address.azure or is_azure(urlsplit(address.url).hostname or "")
        if azure and not self._declares(said, "shutdown"):
            # Azure keeps models for longer than the day we know, which is OpenAI's.
            model = replace(model, shutdown=None)
        upstream = said.upstream_model or address.named
        made = Deployment(
            name,
            model,
            address.url,
            key,
            said.weight,
            said.max_parallel,
            upstream_model=upstream,
            azure=address.azure,
            key_header=address.key_header,
            headers=tuple(said.headers.items()),
            parameters=parameters(self.known[said.model].parameters, said.parameters),
        )
        return self._with_successor(made, said, (said.model,))

    def _declares(self, said: DeploymentSettings, field: str) -> bool:
        own = self.catalog.models.get(said.model)
        return own is not None and field in own.model_fields_set

    def _with_successor(
        self, made: Deployment, said: DeploymentSettings, before: tuple[str, ...]
    ) -> Deployment:
        """The deployment with what takes its place, and so on; a name of its own is not ours."""
        name = self.known[made.model.name].successor
        ours = is_openai(made.base_url) or self._declares(said, "successor")
        wanted = self.catalog.follow_successors and ours and not self.simulated
        if not wanted or name is None or name in before or made.upstream_model:
            return made
        if name not in self.known or (model := model_from(name, self.known[name])) is None:
            place = ("catalog", "models", made.model.name, "successor")
            near = nearest(name, self.known)
            if not any(flaw.place == place for flaw in self.flaws):
                self.flaws.append(Flaw(place, f"is no known model{near}"))
            return made
        takes = parameters(self.known[name].parameters, said.parameters)
        then = replace(made, model=model, parameters=takes, instead_of=made.model.name)
        return replace(made, successor=self._with_successor(then, said, (*before, name)))

    def _address(self, said: DeploymentSettings, place: Place) -> Address:
        url = said.base_url or self.catalog.base_url
        version = said.api_version
        if said.base_url is None and version is None:
            version = self.catalog.api_version
        try:
            return addressed(url, version, said.auth)
        except ValueError as error:
            self.flaws.append(Flaw(place, str(error)))
            return Address(url, azure=False, key_header=AUTHORIZATION)

    def _shared_key(self, url: str) -> Secret:
        """The catalog's key, unless it would be shown to a host that it is not for."""
        ours = self.catalog.base_url
        same = host_of(url) == host_of(ours) or (is_openai(url) and is_openai(ours))
        return self.catalog.key or NO_KEY if same else NO_KEY

    def _no_key(self, place: Place) -> None:
        message = (
            "has no key: set OPENAI_API_KEY, or `catalog.key`, or `simulate: true` to try without"
        )
        if not any(flaw.message == message for flaw in self.flaws):
            self.flaws.append(Flaw(place, message))
