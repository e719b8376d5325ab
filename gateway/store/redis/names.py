"""The names of everything kept in Redis, in one place; `tg1` is the version of their schema.

Nothing a client wrote becomes a name; it is digested first.
"""

from hashlib import blake2b

SCHEMA = b"tg:schema"
"""The version of the schema; the one name that never changes."""

MIGRATING = b"tg:schema:migrating"
KEYS = b"tg1:keys"
DECISIONS = b"tg1:decisions"


def reply(key: bytes) -> str:
    """A kept reply."""
    return f"tg1:reply:{{{key.hex()}}}"


def note(kind: str, name: str) -> str:
    """A note on a name."""
    digest = blake2b(f"{kind}\0{name}".encode("utf-8", "surrogatepass"), digest_size=16)
    return f"tg1:note:{digest.hexdigest()}"
