"""Who may call, and on what terms: the settings of keys, teams, organisations and the admin API.

Whether teams, organisations and models that are named exist is checked in
`gateway.settings.access`. Allowances, counts and dates are read as `gateway.access.spelling` says.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from gateway.access import spelling
from gateway.access.token import Kept, parse, read_kept
from gateway.catalog import Secret
from gateway.money import NanoUSD, spell, usd
from gateway.principal import Allowance
from gateway.settings.keys import Key
from gateway.settings.section import Section
from gateway.settings.tiers import Label, Name
from gateway.settings.units import Duration, parted

# A shorter one can be guessed by trying.
MIN_ADMIN_KEY = 16
# More than one for each period, calendar and rolling, would repeat a window.
MAX_ALLOWANCES = 10


def allowance(value: object) -> Allowance:
    """Read money per window."""
    if not isinstance(value, str):
        raise ValueError(spelling.ALLOWANCE_MESSAGE)  # noqa: TRY004 - pydantic wants ValueError
    return spelling.allowance(value)


def some(value: object) -> object:
    """Part a list; an empty one would forbid everything, where leaving it out was meant."""
    found = parted(value)
    if found == []:
        message = "must not be empty"
        raise ValueError(message)
    return found


def dollars(value: object) -> NanoUSD:
    """Read the most a call may cost."""
    message = "must be dollars such as 0.05"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only ValueError into a complaint
    try:
        amount = usd(str(value))
    except ValueError:
        raise ValueError(message) from None
    if not amount:
        raise ValueError(message)
    return amount


def own_key(key: Secret) -> Secret:
    """Refuse a credential that is no key of ours."""
    if parse(key.reveal().encode()) is None:
        message = "must be a key that `tiergate keys create` made (tg-…)"
        raise ValueError(message)
    return key


def digest(value: object) -> Kept:
    """Read what is kept of a key."""
    return read_kept(value if isinstance(value, str) else "")


Count = Annotated[
    int,
    PlainValidator(spelling.count),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": spelling.COUNT_PATTERN},
            ]
        }
    ),
]
Money = Annotated[
    Allowance,
    PlainValidator(allowance),
    PlainSerializer(spelling.spell_allowance, return_type=str),
    WithJsonSchema({"type": "string", "pattern": spelling.ALLOWANCE_PATTERN}),
]
Sum = Annotated[
    NanoUSD,
    PlainValidator(dollars),
    PlainSerializer(spell, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^\$?\d+(\.\d+)?$|\$\{"},
            ]
        }
    ),
]
Moment = Annotated[
    float,
    PlainValidator(spelling.moment),
    PlainSerializer(spelling.spell_moment, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}|\$\{"}),
]
OwnKey = Annotated[Key, AfterValidator(own_key)]
Digest = Annotated[
    Kept,
    PlainValidator(digest),
    PlainSerializer(lambda _: "***", return_type=str),
    WithJsonSchema({"type": "string", "minLength": 1, "writeOnly": True}),
]


class TermsSettings(Section):
    """What a key, a team or an organisation may do; a call must suit all three."""

    allowances: Annotated[tuple[Money, ...], BeforeValidator(parted)] = Field(
        default=(),
        max_length=MAX_ALLOWANCES,
        description="Money per minute, hour, day, week or month: `5usd/day`, `20usd/month "
        "rolling`. Calendar windows (UTC) unless `rolling`.",
    )
    requests_per_minute: Count | None = Field(default=None, description="Calls a minute.")
    tokens_per_minute: Count | None = Field(
        default=None, description="Tokens a minute, prompt and answer together: `100k`."
    )
    parallel: Count | None = Field(default=None, description="Calls at a time.")
    tiers: Annotated[tuple[Label, ...], BeforeValidator(some)] | None = Field(
        default=None, description="Tiers that may answer; without it, all."
    )
    models: Annotated[tuple[Name, ...], BeforeValidator(some)] | None = Field(
        default=None, description="Models that may answer; without it, all."
    )
    quality: float | None = Field(
        default=None, ge=0, le=1, description="The dial where the caller sets none."
    )
    max_cost_usd: Sum | None = Field(
        default=None, description="Most one call may cost, in dollars; a caller may ask for less."
    )
    deadline: Duration | None = Field(
        default=None,
        gt=0,
        description="How long one call may take to its last byte; a caller may ask for less.",
    )
    hold: Literal["worst", "expected"] | None = Field(
        default=None,
        description="What is set aside before a call: what it costs at `worst` (nothing is ever "
        "overspent; the default), or what is `expected` (overspent by at most what is in flight).",
    )
    clamp: bool | None = Field(
        default=None,
        description="Whether an answer may be cut shorter to fit an allowance, rather than refused "
        "(by default it may).",
    )
    on_outage: Literal["fail_open", "fail_closed"] | None = Field(
        default=None,
        description="What becomes of calls while the store cannot be reached: served uncounted, or "
        "refused with 503 (the default).",
    )
    cache_scope: Literal["key", "team", "organisation"] | None = Field(
        default=None,
        description="Who shares kept replies: calls of the same `key` (the default), `team` or "
        "`organisation`.",
    )

    @field_validator("allowances")
    @classmethod
    def _of_different_windows(cls, said: tuple[Allowance, ...]) -> tuple[Allowance, ...]:
        if len({(one.period, one.rolling) for one in said}) < len(said):
            message = "has two allowances for the same window"
            raise ValueError(message)
        return said


class OrganisationSettings(TermsSettings):
    """An organisation: what its teams have in common."""


class TeamSettings(TermsSettings):
    """A team: what its keys have in common."""

    organisation: Name | None = Field(default=None, description="The organisation it belongs to.")


class KeySettings(TermsSettings):
    """A key that stands in the configuration: by itself, in a file of its own, or as a digest."""

    name: Name = Field(description="How people, metrics and records call it.")
    key: OwnKey | None = Field(default=None, description="The key, such as `${SEARCH_KEY}`.")
    key_file: Path | None = Field(default=None, description="A file that holds the key alone.")
    digest: Digest | None = Field(
        default=None,
        description="What `tiergate keys create NAME --settings` printed: the file then holds no "
        "key at all.",
    )
    team: Name | None = Field(default=None, description="The team it belongs to.")
    expires: Moment | None = Field(
        default=None, description="When it ends: `2027-01-31` or `2027-01-31T12:00:00Z` (UTC)."
    )

    @model_validator(mode="after")
    def _one_credential(self) -> "KeySettings":
        said = [one for one in (self.key, self.key_file, self.digest) if one is not None]
        if len(said) != 1:
            message = "needs one of `key`, `key_file` and `digest`"
            raise ValueError(message)
        return self


class AccessSettings(Section):
    """Who may call. Without any key, callers on this machine only; with keys, who brings one."""

    open: bool = Field(
        default=False,
        description="Let anyone who can reach this gateway spend: callers need no key, and those "
        "without one have no limits.",
    )


class AdminSettings(Section):
    """The admin API under `/admin/v1`: keys, spend, standing, decisions."""

    key: Key | None = Field(
        default=None,
        description="What its callers must send as `Authorization: Bearer`; without it, whoever is "
        "on this machine may call it.",
    )
    enabled: bool | None = Field(
        default=None,
        description="`true` serves it to other machines too (needs `key`), `false` to nobody; "
        "without it, to this machine only.",
    )
    decisions: int = Field(
        default=1_000,
        ge=0,
        le=100_000,
        description="How many of the latest decisions are kept in memory to be looked at (about "
        "3 kB each). With Redis all processes show those of all, 2,000 at most.",
    )

    @field_validator("key")
    @classmethod
    def _is_long(cls, key: Secret | None) -> Secret | None:
        if key is not None and len(key.reveal()) < MIN_ADMIN_KEY:
            message = f"is too short: take at least {MIN_ADMIN_KEY} random characters"
            raise ValueError(message)
        return key
