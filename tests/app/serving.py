"""A whole gateway on the test's loop: settings to sockets, in front of the simulation."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from openai import AsyncOpenAI

from gateway.app.root import open_gateway, running
from gateway.flow.life import Flow
from gateway.settings.load import load
from tests.tasks import background

FAST = {
    "GATEWAY_SIMULATE_ENABLED": "true",
    "GATEWAY_SIMULATE_SPEED": "0",
    "GATEWAY_STORE_DATA": "memory",
}


@dataclass(frozen=True, slots=True)
class Served:
    """A running gateway and the ways to call it."""

    url: str
    flow: Flow
    http: httpx.AsyncClient
    openai: AsyncOpenAI


@asynccontextmanager
async def served(environ: Mapping[str, str] = FAST) -> AsyncIterator[Served]:
    settings = load(None, {**environ, "GATEWAY_SERVER_PORT": "0"})
    with open_gateway(settings, quiet=True) as opened:
        url = opened.url()
        async with (
            running(opened) as gateway,
            background(gateway.server.run_until_stopped()),
            httpx.AsyncClient(base_url=url, trust_env=False) as http,
            AsyncOpenAI(
                base_url=f"{url}/v1",
                api_key="client-key",
                max_retries=0,
                http_client=None,
            ) as client,
        ):
            yield Served(url, gateway.flow, http, client)
            gateway.server.should_exit = True


def chat(text: str, **more: object) -> dict[str, object]:
    return {"model": "auto", "messages": [{"role": "user", "content": text}], **more}
