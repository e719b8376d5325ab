"""What an account says of its models: `GET /models`, which costs nothing anywhere.

For the operator's commands, not for calls: one request, read whole, nothing retried. The text of
an error reply is not passed on, as it may quote the key.
"""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import orjson

from gateway.catalog import AUTHORIZATION, Deployment
from gateway.ports import Clock

LIMIT_BYTES = 8 * 2**20
SECONDS = 10.0
WORDS: Mapping[int, str] = {
    401: "the key is not accepted",
    403: "the key may not do this",
    404: "it has no list of models",
    429: "the key is rate-limited",
}


class Listing(NamedTuple):
    """An account's answer: `models` with the day each is switched off, as far as it says.

    `trouble` says why there is no list ("": there is one), `status` is 0 where nothing answered;
    `skew` is how far its clock is ahead of ours, in seconds, None where it does not say.
    """

    models: Mapping[str, date | None]
    status: int = 0
    trouble: str = ""
    seconds: float = 0.0
    skew: float | None = None


async def listing(
    deployment: Deployment, clock: Clock, *, ca_file: str | None = None, proxied: bool = False
) -> Listing:
    """Ask a deployment's server for its models."""
    tls = ssl.create_default_context()
    if ca_file is not None:
        tls.load_verify_locations(ca_file)
    began = clock.now()
    try:
        async with httpx.AsyncClient(verify=tls, trust_env=proxied, timeout=SECONDS) as client:
            reply = await client.get(_address(deployment), headers=_fields(deployment))
    except httpx.HTTPError as error:
        return Listing({}, trouble=f"it cannot be reached ({type(error).__name__})")
    seconds = clock.now() - began
    skew = _skew(reply.headers.get("date", ""), clock.wall() - seconds / 2)
    if reply.status_code != 200:
        words = WORDS.get(reply.status_code, f"it answered {reply.status_code}")
        return Listing({}, reply.status_code, words, seconds, skew)
    found = _models(reply.content)
    trouble = "" if found is not None else "its list of models cannot be read"
    return Listing(found or {}, 200, trouble, seconds, skew)


def _address(deployment: Deployment) -> str:
    parts = urlsplit(deployment.base_url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/models{query}"


def _fields(deployment: Deployment) -> dict[str, str]:
    fields = {name: value.reveal() for name, value in deployment.headers}
    if key := deployment.key.reveal():
        header = deployment.key_header
        fields[header] = f"Bearer {key}" if header == AUTHORIZATION else key
    return fields


def _skew(said: str, wall: float) -> float | None:
    try:
        return parsedate_to_datetime(said).timestamp() - wall
    except ValueError:
        return None


def _models(content: bytes) -> dict[str, date | None] | None:
    if len(content) > LIMIT_BYTES:
        return None
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    listed = document.get("data") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        return None
    entries = [one for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]
    return {one["id"]: _day(one.get("shutdown_date")) for one in entries}


def _day(said: object) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(said[:10]) if isinstance(said, str) else None
    return None
