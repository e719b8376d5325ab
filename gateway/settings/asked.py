"""A key as somebody asks for it, on the command line or over the admin API.

The terms are those of the configuration file, read by the same types. A time from now (`30d`) is
allowed here, where there is a now.
"""

from collections.abc import Mapping
from dataclasses import fields, replace

from pydantic import Field

from gateway.access.directory import Directory
from gateway.access.records import NewKey, refuse_unknown_team
from gateway.access.spelling import expiry
from gateway.errors import InvalidValue
from gateway.principal import KeyRecord, Terms
from gateway.settings.access import terms
from gateway.settings.terms import TermsSettings
from gateway.settings.tiers import Name

EXPIRES = "When it ends: `30d` from now, or `2027-01-31` (UTC), or epoch seconds; null: never."
# Where the terms as values are not called what they are called in writing.
RENAMED: Mapping[str, str] = {"max_cost_usd": "max_cost", "on_outage": "outage"}


class AskedKey(TermsSettings):
    """A new key."""

    name: Name = Field(description="How people and records call it; no two living keys share one.")
    team: Name | None = Field(default=None, description="The team it belongs to.")
    expires: str | float | None = Field(default=None, description=EXPIRES)


class ChangedKey(TermsSettings):
    """What is to change of a key; what is not said stays."""

    name: Name | None = Field(default=None, description="Another name.")
    team: Name | None = Field(default=None, description="Another team; null: none.")
    expires: str | float | None = Field(default=None, description=EXPIRES)


def new_key(said: AskedKey, directory: Directory, now: float) -> NewKey:
    """What is asked for.

    Raises:
        InvalidValue: there is no such team, no such time, or it is over.
    """
    refuse_unknown_team(said.team or "", directory)
    expires = _expiry(said.expires, now)
    if expires is not None and expires <= now:
        message = "expires lies in the past."
        raise InvalidValue(message, param="expires")
    return NewKey(said.name, said.team or "", expires, terms(said))


def changed(record: KeyRecord, said: ChangedKey, directory: Directory, now: float) -> KeyRecord:
    """The key as it is to be.

    Raises:
        InvalidValue: there is no such team, or no such time.
    """
    given = said.model_fields_set
    if "team" in given:
        refuse_unknown_team(said.team or "", directory)
        record = replace(record, team=said.team or "")
    if "expires" in given:
        record = replace(record, expires=_expiry(said.expires, now))
    if said.name is not None:
        record = replace(record, name=said.name)
    return replace(record, terms=_merged(record.terms, said))


def _merged(before: Terms, said: TermsSettings) -> Terms:
    after = terms(said)
    names = {RENAMED.get(name, name) for name in said.model_fields_set}
    given = {f.name: getattr(after, f.name) for f in fields(Terms) if f.name in names}
    return replace(before, **given)


def _expiry(said: str | float | None, now: float) -> float | None:
    if said is None:
        return None
    try:
        return expiry(said, now)
    except ValueError as error:
        message = f"expires {error}."
        raise InvalidValue(message, param="expires") from None
