"""A key's record from birth to death: issued, changed, rotated, revoked, looked up by name.

Values in, values out: whoever holds the store puts them there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum

from gateway.access.directory import Directory
from gateway.access.token import ID_CHARS, KEY_ID, issue
from gateway.catalog import Secret
from gateway.errors import InvalidValue, NotFound
from gateway.principal import KeyRecord, Terms

NO_TERMS = Terms()


class Status(Enum):
    """Whether a key opens anything."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is asked for; `expires` is epoch seconds."""

    name: str
    team: str = ""
    expires: float | None = None
    terms: Terms = NO_TERMS


def status(record: KeyRecord, now: float) -> Status:
    """Whether a key opens anything at `now`, epoch seconds."""
    if record.revoked is not None:
        return Status.REVOKED
    if record.expires is not None and record.expires <= now:
        return Status.EXPIRED
    return Status.ACTIVE


def created(
    asked: NewKey, others: Iterable[KeyRecord], *, randomness: bytes, now: float
) -> tuple[KeyRecord, Secret]:
    """A new key and its record.

    Raises:
        InvalidValue: another key that is not revoked has the name.
    """
    refuse_taken(asked.name, others)
    made = issue(randomness)
    record = KeyRecord(
        id=made.kept.id,
        name=asked.name,
        team=asked.team,
        salt=made.kept.salt,
        digest=made.kept.digest,
        created=now,
        expires=asked.expires,
        terms=asked.terms,
    )
    return record, made.key


def rotated(record: KeyRecord, *, randomness: bytes) -> tuple[KeyRecord, Secret]:
    """A new secret under the same id: limits and spend stay, the old key opens nothing any more.

    Raises:
        InvalidValue: the key is revoked.
    """
    if record.revoked is not None:
        message = "A revoked key cannot be rotated; create a new one."
        raise InvalidValue(message, param="key")
    made = issue(randomness, record.id)
    return replace(record, salt=made.kept.salt, digest=made.kept.digest), made.key


def revoked(record: KeyRecord, now: float) -> KeyRecord:
    """The key as it opens nothing any more; revoking it again changes nothing."""
    return record if record.revoked is not None else replace(record, revoked=now)


def refuse_taken(name: str, others: Iterable[KeyRecord]) -> None:
    """Keep names apart: people revoke by name.

    Raises:
        InvalidValue: another key that is not revoked has the name.
    """
    if any(other.name == name and other.revoked is None for other in others):
        message = "Another key has this name; revoke it first, or choose another name."
        raise InvalidValue(message, param="name")


def refuse_unknown_team(name: str, directory: Directory) -> None:
    """Keep a slip from making a key without its team's limits.

    Where no team is described at all, a team is a label and may be anything.

    Raises:
        InvalidValue: there are teams, and none of this name.
    """
    if name and directory.teams and name not in directory.teams:
        near = get_close_matches(name, list(directory.teams), n=1)
        hint = f" (did you mean `{near[0]}`?)" if near else ""
        message = f"There is no team of this name in the configuration{hint}."
        raise InvalidValue(message, param="team")


def looked_up(said: str, records: Sequence[KeyRecord]) -> KeyRecord:
    """The key that a name, an id, or `tg-` and an id means; a living one goes before a revoked one.

    Raises:
        NotFound: there is none. Nothing of what was said is quoted: it may be a whole key.
    """
    key_id = said.removeprefix("tg-")[:ID_CHARS]
    if KEY_ID.fullmatch(key_id) and (said.startswith("tg-") or len(said) == ID_CHARS):
        for record in records:
            if record.id == key_id:
                return record
    named = [record for record in records if record.name == said]
    living = [record for record in named if record.revoked is None]
    if not named:
        message = "There is no key of this name or id."
        raise NotFound(message)
    return (living or named)[-1]
