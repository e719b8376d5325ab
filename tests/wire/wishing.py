"""What the tests of wishes share."""

from typing import Any

from gateway.call import Wishes
from gateway.wire.wishes import parse

SDK = {b"host": b"x", b"user-agent": b"OpenAI/Python", b"x-stainless-lang": b"python"}


def wishes_of(*headers: tuple[str, str], **document: Any) -> Wishes:
    fields = {name.encode(): value.encode("latin-1") for name, value in headers}
    return parse({**SDK, **fields}, {"model": "auto", **document})[0]
