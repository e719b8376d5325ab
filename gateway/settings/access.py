"""Builds who may call from the settings, and says what in them does not fit together.

Refuses unknown teams, organisations and models, two keys of one name or id, and an admin API
without key that other machines could reach.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from gateway.access.directory import Directory, Team
from gateway.access.token import SALT_BYTES, Kept, kept
from gateway.catalog import TIERS_BY_LABEL, Secret
from gateway.principal import CacheScope, HoldPolicy, KeyRecord, Outage, Terms
from gateway.settings.catalog import known_models
from gateway.settings.complaints import Complaint, Flaw, Place, SettingsError, dotted, nearest
from gateway.settings.schema import Settings
from gateway.settings.terms import KeySettings, TermsSettings, own_key

# A file that holds more holds something else; it is not read to its end.
MAX_KEY_FILE = 4096
NO_KEY = Secret("")
NOT_KNOWN = "is not described under `{}`{}"


def directory(settings: Settings) -> Directory:
    """The teams and organisations there are."""
    return Directory(
        teams={
            name: Team(said.organisation or "", terms(said))
            for name, said in settings.teams.items()
        },
        organisations={name: terms(said) for name, said in settings.organisations.items()},
    )


def records(settings: Settings, randomness: Callable[[int], bytes]) -> tuple[KeyRecord, ...]:
    """The keys that stand in the configuration; `randomness` gives that many random bytes.

    Raises:
        SettingsError: a key's file cannot be read any more.
    """
    made = []
    for i, said in enumerate(settings.keys):
        try:
            held = _kept(said, randomness)
        except ValueError as error:
            complaint = Complaint(0, dotted(("keys", i, "key_file")), str(error))
            raise SettingsError([complaint]) from None
        made.append(
            KeyRecord(
                id=held.id,
                name=said.name,
                team=said.team or "",
                salt=held.salt,
                digest=held.digest,
                created=0.0,
                expires=said.expires,
                terms=terms(said),
            )
        )
    return tuple(made)


def terms(said: TermsSettings) -> Terms:
    """The terms of one level."""
    tiers, models = said.tiers, said.models
    return Terms(
        allowances=said.allowances,
        requests_per_minute=said.requests_per_minute,
        tokens_per_minute=said.tokens_per_minute,
        parallel=said.parallel,
        tiers=None if tiers is None else frozenset(TIERS_BY_LABEL[label] for label in tiers),
        models=None if models is None else frozenset(models),
        quality=said.quality,
        max_cost=said.max_cost_usd,
        deadline=said.deadline,
        hold=None if said.hold is None else HoldPolicy(said.hold),
        clamp=said.clamp,
        outage=None if said.on_outage is None else Outage(said.on_outage),
        cache_scope=None if said.cache_scope is None else CacheScope(said.cache_scope),
    )


def secrets(settings: Settings) -> list[Secret]:
    """What of these settings must be scrubbed from every text that leaves."""
    found = [said.key for said in settings.keys if said.key is not None]
    if settings.admin.key is not None:
        found.append(settings.admin.key)
    if settings.store.redis_url is not None:
        url = urlsplit(settings.store.redis_url.reveal())
        options = [value for name, value in parse_qsl(url.query) if "password" in name]
        found += [settings.store.redis_url, *map(Secret, options)]
        if url.password:
            found += [Secret(url.password), Secret(unquote(url.password))]
    return found


def flaws(settings: Settings) -> list[Flaw]:
    """What does not fit together."""
    return [
        *_named_teams(settings),
        *_models(settings),
        *_keys(settings),
        *_exposed(settings),
        *_alone(settings),
    ]


def _named_teams(settings: Settings) -> Iterator[Flaw]:
    for i, key in enumerate(settings.keys):
        if key.team is not None and key.team not in settings.teams:
            near = nearest(key.team, settings.teams)
            yield Flaw(("keys", i, "team"), NOT_KNOWN.format("teams", near))
    for name, team in settings.teams.items():
        said = team.organisation
        if said is not None and said not in settings.organisations:
            near = nearest(said, settings.organisations)
            place = ("teams", name, "organisation")
            yield Flaw(place, NOT_KNOWN.format("organisations", near))


def levels(settings: Settings) -> Iterator[tuple[Place, TermsSettings]]:
    """Everything that carries terms, with its place."""
    for i, key in enumerate(settings.keys):
        yield ("keys", i), key
    for name, team in settings.teams.items():
        yield ("teams", name), team
    for name, organisation in settings.organisations.items():
        yield ("organisations", name), organisation


def _models(settings: Settings) -> Iterator[Flaw]:
    known = known_models(settings.catalog)
    for place, said in levels(settings):
        for i, model in enumerate(said.models or ()):
            if model not in known:
                yield Flaw((*place, "models", i), f"is no known model{nearest(model, known)}")


def _keys(settings: Settings) -> Iterator[Flaw]:
    names: set[str] = set()
    ids: set[str] = set()
    for i, said in enumerate(settings.keys):
        if said.name in names:
            yield Flaw(("keys", i, "name"), "is the name of another key")
        names.add(said.name)
        try:
            # Only whether it is a key, and which, matters here: any salt will do.
            held = _kept(said, bytes)
        except ValueError as error:
            yield Flaw(("keys", i, "key_file"), str(error))
            continue
        if held.id in ids:
            yield Flaw(("keys", i), "is the same key as another")
        ids.add(held.id)


def _kept(said: KeySettings, randomness: Callable[[int], bytes]) -> Kept:
    if said.digest is not None:
        return said.digest
    key = said.key or NO_KEY
    if said.key_file is not None:
        key = own_key(_read(said.key_file))
    return kept(key.reveal().encode(), randomness(SALT_BYTES))


def _read(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            return Secret(file.read(MAX_KEY_FILE).decode("ascii", "replace").strip())
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise ValueError(message) from None


def _exposed(settings: Settings) -> Iterator[Flaw]:
    if settings.admin.enabled and settings.admin.key is None:
        message = "would let anyone make keys: it needs `admin.key`"
        yield Flaw(("admin", "enabled"), message)


def _alone(settings: Settings) -> Iterator[Flaw]:
    ca_file = settings.store.redis_ca_file
    if ca_file is not None and not ca_file.is_file():
        yield Flaw(("store", "redis_ca_file"), "is no file that can be read")
