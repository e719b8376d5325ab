"""Where a deployment is: what people write as its address, and what calls to it need.

Understood are the base URLs of OpenAI and of servers that speak its API, with or without `/v1`, and
of Azure OpenAI the resource's address, its `/openai/v1`, and the whole URL that its portal shows.
Refuses credentials in an address, and queries other than Azure's `api-version`.
"""

import re
from datetime import date
from typing import Annotated, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator

from gateway.catalog import AUTHORIZATION

AZURE_HOSTS = (
    *(".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"),
    *(".openai.azure.us", ".cognitiveservices.azure.us"),
)
AZURE_KEY_HEADER = "api-key"
VERSION = re.compile(r"[A-Za-z0-9.-]{1,32}")
# What portals and examples show behind the base URL.
ENDPOINTS = ("/chat/completions", "/completions", "/responses", "/embeddings")
# Azure's older API: `/openai`, or `/openai/deployments/NAME`.
AZURE_PATH = re.compile(r"/openai(?:/deployments(?:/([^/]+))?)?")


class Address(NamedTuple):
    """A deployment's address; `named` is the Azure deployment that a path named."""

    url: str
    azure: bool
    key_header: str
    named: str = ""


def base_url(text: str) -> str:
    """Read the address that `/chat/completions` is appended to.

    A host alone gets `/v1` (a lone `/` keeps it bare), an Azure resource `/openai/v1`.
    """
    message = "must be an address such as https://api.openai.com/v1"
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(message)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(message) from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError(message)
    if "@" in parts.netloc:
        message = "must not carry a user name or password: use `key`"
        raise ValueError(message)
    query = _version_query(parts.query) if "?" in text and "#" not in text else ""
    if "#" in text or ("?" in text and not query):
        message = "must not carry a query or fragment, but for Azure's `?api-version=…`"
        raise ValueError(message)
    path = parts.path.rstrip("/")
    for endpoint in ENDPOINTS:
        path = path.removesuffix(endpoint)
    if not parts.path:
        path = "" if is_azure(host) else "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}{query}"


def undated(value: object) -> object:
    """Undo YAML, which reads a bare 2024-10-21 as a day."""
    return value.isoformat() if isinstance(value, date) else value


def api_version(text: str) -> str:
    """Read a version of Azure's API."""
    if not VERSION.fullmatch(text):
        message = "must be a version such as 2024-10-21 or preview"
        raise ValueError(message)
    return text


BaseURL = Annotated[str, AfterValidator(base_url)]
ApiVersion = Annotated[str, BeforeValidator(undated), AfterValidator(api_version)]


def _version_query(query: str) -> str:
    said = parse_qsl(query)
    if len(said) != 1 or said[0][0] != "api-version" or not VERSION.fullmatch(said[0][1]):
        return ""
    return f"?api-version={said[0][1]}"


def is_azure(host: str) -> bool:
    """Whether a host is one of Azure's for models."""
    return host.endswith(AZURE_HOSTS)


def is_openai(url: str) -> bool:
    """Whether an address is OpenAI's."""
    host = urlsplit(url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def host_of(url: str) -> str:
    """The host and port of an address."""
    return urlsplit(url).netloc


def addressed(url: str, version: str | None, auth: str | None) -> Address:
    """Make of a base URL, an API version and a way to show the key what calls need.

    Raises:
        ValueError: Azure's older API needs a version.
    """
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"
    path, query = parts.path, parts.query
    if version is not None:
        query = f"api-version={version}"
    ours = is_azure(parts.hostname or "")
    found = AZURE_PATH.fullmatch(path) if path else None
    named = (found[1] or "") if found else ""
    older = (found is not None and (ours or bool(query))) or (ours and not path and bool(query))
    if older and not query:
        message = "needs `api_version` (such as 2024-10-21), or an address that ends in /openai/v1"
        raise ValueError(message)
    if older:
        path = "/openai"
    elif ours and not path:
        path = "/openai/v1"
    bare = auth == AZURE_KEY_HEADER or (auth is None and (ours or older))
    whole = f"{base}{path}{f'?{query}' if query else ''}"
    return Address(whole, older, AZURE_KEY_HEADER if bare else AUTHORIZATION, named)
