"""Keys as text: `tg-<id>-<secret>`, how one is made, read from a request and checked.

The id (50 random bits) is public: it names the key in lists, logs and ledgers, and finds its
record. The secret has 200 random bits, so nobody can guess it and a slow hash would protect
nothing; it would only cost every call a tenth of a second. What is kept is BLAKE2b over the whole
key with a salt of its own: equal keys have unequal digests, and no table made for one store serves
for another. Both parts are lower-case base32, which no shell, URL, YAML file or reader mistakes.

Refuses to say why a credential is none of ours, and to quote it.
"""

import re
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from hmac import compare_digest

from gateway.catalog import Secret
from gateway.principal import KeyRecord

PREFIX = b"tg-"
ID_CHARS = 10
SECRET_CHARS = 40
_KEY = re.compile(rb"tg-[a-z2-7]{%d}-[a-z2-7]{%d}" % (ID_CHARS, SECRET_CHARS)).fullmatch
KEY_ID = re.compile(rf"[a-z2-7]{{{ID_CHARS}}}")
ID_SLICE = slice(len(PREFIX), len(PREFIX) + ID_CHARS)

# Base32 takes 5 bits a character: 56 bits hold the id, 200 the secret; BLAKE2b takes 16 of salt.
ID_BYTES, SECRET_BYTES, SALT_BYTES, DIGEST_BYTES = 7, 25, 16, 32
RANDOM_BYTES = ID_BYTES + SECRET_BYTES + SALT_BYTES
_KEPT = re.compile(
    rf"([a-z2-7]{{{ID_CHARS}}})\.([0-9a-f]{{{2 * SALT_BYTES}}})\.([0-9a-f]{{{2 * DIGEST_BYTES}}})"
)
# Tells these digests from any other use of BLAKE2b; part of every digest that was ever stored.
_PERSON = b"tiergate key"

_BEARER = b"bearer"
_USUAL = b"Bearer tg-"
_ELSEWHERE = (b"api-key", b"x-api-key")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a key."""

    id: str
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key, which is shown once and then forgotten, and what is kept of it."""

    key: Secret
    kept: Kept


def issue(randomness: bytes, key_id: str = "") -> Issued:
    """Make a key out of `RANDOM_BYTES` random bytes; `key_id` keeps the id of one it replaces."""
    if len(randomness) != RANDOM_BYTES:
        message = f"a key takes {RANDOM_BYTES} random bytes"
        raise ValueError(message)
    drawn_id = _base32(randomness[:ID_BYTES])[:ID_CHARS]
    secret = _base32(randomness[ID_BYTES : ID_BYTES + SECRET_BYTES])
    salt = randomness[ID_BYTES + SECRET_BYTES :]
    made_id = key_id or drawn_id
    text = f"tg-{made_id}-{secret}"
    return Issued(Secret(text), kept(text.encode(), salt))


def kept(credential: bytes, salt: bytes) -> Kept:
    """What is kept of a key.

    Raises:
        ValueError: it is none.
    """
    key_id = parse(credential)
    if key_id is None:
        message = "is no key of this gateway"
        raise ValueError(message)
    return Kept(key_id, salt, digest(credential, salt))


def spell_kept(said: Kept) -> str:
    """Write what is kept of a key on one line, for a configuration file."""
    return f"{said.id}.{said.salt.hex()}.{said.digest.hex()}"


def read_kept(text: str) -> Kept:
    """Read what `spell_kept` wrote.

    Raises:
        ValueError: it is something else.
    """
    found = _KEPT.fullmatch(text)
    if found is None:
        message = "must be what `tiergate keys create NAME --settings` printed"
        raise ValueError(message)
    return Kept(found[1], bytes.fromhex(found[2]), bytes.fromhex(found[3]))


def digest(credential: bytes, salt: bytes) -> bytes:
    """What is kept of a key."""
    hasher = salted(salt)
    hasher.update(credential)
    return hasher.digest()


def salted(salt: bytes) -> blake2b:
    """A hasher for one key; a copy of it takes half the time of a new one."""
    return blake2b(digest_size=DIGEST_BYTES, salt=salt, person=_PERSON)


def parse(credential: bytes) -> str | None:
    """The id of a key, or None where the text cannot be one of ours."""
    return credential[ID_SLICE].decode() if _KEY(credential) else None


def proves(credential: bytes, record: KeyRecord) -> bool:
    """Whether a credential is the key of a record; the time taken tells nothing about it."""
    return compare_digest(digest(credential, record.salt), record.digest)


def presented(fields: Mapping[bytes, bytes]) -> bytes:
    """The credential a request carries, or nothing; `fields` have lower-case names.

    Read from `Authorization: Bearer` (OpenAI), `api-key` (Azure) and `x-api-key` (Anthropic), in
    this order; one of ours goes before any other, as some clients send two.
    """
    authorization = fields.get(b"authorization")
    if authorization is not None and authorization[:10] == _USUAL:
        return authorization[7:]
    if b"api-key" not in fields and b"x-api-key" not in fields:
        return b"" if authorization is None else bearer(authorization)
    found = [bearer(authorization or b""), *[fields.get(name, b"").strip() for name in _ELSEWHERE]]
    ours = (one for one in found if one.startswith(PREFIX))
    return next(ours, b"") or next((one for one in found if one), b"")


def bearer(authorization: bytes) -> bytes:
    """The credential of an `Authorization` field, or nothing; the scheme in any case."""
    scheme, _, rest = authorization.strip().partition(b" ")
    return rest.strip() if scheme.lower() == _BEARER else b""


def _base32(data: bytes) -> str:
    return b32encode(data).decode().rstrip("=").lower()
