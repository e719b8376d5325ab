"""What a caller writes and whatever opens something, looked for in all that a gateway tells."""

from collections.abc import Iterator

import pytest

from tests.app.far_servers import Asked, Far, far
from tests.app.serving import FAST, Served, chat, served
from tests.store.redis_server import RedisServer, redis_server

PROMPT = "canary of the prompt"
KEYS = "sk-canary-0123456789abcdef"
ADMIN_KEY = "admin-canary-0123456789abcdef"
ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}
COLLECTORS = "collector-canary-0123456789"
PAGES = (
    *("/metrics", "/readyz", "/openapi.json", "/v1/models"),
    *("/admin/v1/metrics", "/admin/v1/decisions", "/admin/v1/whatif", "/admin/v1/catalog"),
    *("/admin/v1/keys", "/admin/v1/spend", "/ui/"),
)


class Collector(Far):
    """Takes whatever traces are sent."""

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        return 200, b"{}"


async def ask_everything(gateway: Served) -> list[str]:
    """Calls that go well, that fail, and that are refused; what was said of each but the answer."""
    said, fields = [], {"x-api-key": KEYS, "cookie": f"session={KEYS}", "x-gateway-session": PROMPT}
    for body in (
        chat(PROMPT),
        chat(PROMPT, stream=True, user=PROMPT),
        chat(f"[[fault:status=503]] {PROMPT}", model="mini"),
        chat(PROMPT, model=KEYS),
        chat(PROMPT, temperature=KEYS),
    ):
        reply = await gateway.http.post("/v1/chat/completions", json=body, headers=fields)
        said.append(str(reply.headers))
    return said


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


async def test_no_prompt_and_no_key_is_in_anything_that_is_told(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    async with far(Collector(frozenset())) as collector:
        environ = {
            **FAST,
            "GATEWAY_REDIS_URL": redis.url,
            "GATEWAY_STORE_REDIS_TIMEOUT": "5s",
            "GATEWAY_ADMIN_KEY": ADMIN_KEY,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
            "OTEL_EXPORTER_OTLP_HEADERS": f"api-token={COLLECTORS}",
        }
        async with served(environ) as gateway:
            headers = await ask_everything(gateway)
            pages = [await gateway.http.get(path, headers=ADMIN) for path in PAGES]
        shared = repr(redis.ask("XRANGE", "tg1:decisions", "-", "+"))
    traced = b"".join(asked.body for asked in collector.asked).decode()

    assert [page.status_code for page in pages] == [200] * len(PAGES)
    assert "gateway_requests_total" in pages[0].text
    assert "tiergate.call.id" in traced
    assert "adequate" in shared or "quality" in shared
    told = {page.url.path: page.text for page in pages}
    told |= {"heads": repr(headers), "spans": traced, "shared": shared, "log": caplog.text}
    for canary in (PROMPT, KEYS, ADMIN_KEY, COLLECTORS):
        assert [where for where, said in told.items() if canary in said] == []
