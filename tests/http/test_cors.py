"""Pages of other origins: none may read replies, unless it is allowed to."""

import pytest

from gateway.http.head import EXPOSED
from tests.flow.replies import error, stream, whole
from tests.http.edge import CHAT, edge, get, post, streaming
from tests.http.wires import Said

HERS = "https://app.example"
THEIRS = "https://evil.example"
SHOWN = "access-control-allow-origin"
PREFLIGHT = (
    "Access-Control-Request-Method: POST",
    "Access-Control-Request-Headers: x-gateway-tier",
)


def preflight(origin: str) -> bytes:
    return get(CHAT, f"Origin: {origin}", *PREFLIGHT, method="OPTIONS")


def exposed(said: Said) -> list[str]:
    return [name.strip() for name in said.headers["access-control-expose-headers"].split(",")]


async def test_without_allowed_origins_nobody_is_answered() -> None:
    async with edge() as e:
        asked = await e.ask(post(None, f"Origin: {HERS}"))
        before = await e.ask(preflight(HERS))

    assert asked.status == 200
    assert before.status == 405
    for said in (asked, before):
        assert not any(name.startswith("access-control-") for name in said.headers)


@pytest.mark.parametrize(("allowed", "shown"), [((HERS,), HERS), (("*",), "*")])
async def test_an_allowed_origin_may_read_every_reply(allowed: tuple[str, ...], shown: str) -> None:
    hers = f"Origin: {HERS}"
    asks = {
        "whole": (post(None, hers), 200),
        "stream": (streaming(hers), 200),
        "refused by us": (post(b"{", hers), 400),
        "refused early": (post(b"", hers).replace(b"Length: 0", b"Length: 99999999"), 413),
        "refused upstream": (post(None, hers, "x-gateway-tier: full"), 400),
        "a page": (get("/v1/models", hers), 200),
    }
    async with edge(
        lambda r: (
            error(400) if r.deployment.name == "gpt-4.1" else (stream() if r.stream else whole())
        ),
        limits={"cors_origins": allowed},
    ) as e:
        said = {name: (await e.ask(ask), status) for name, (ask, status) in asks.items()}

    for name, (one, status) in said.items():
        assert one.status == status, name
        assert one.headers[SHOWN] == shown, name
        assert set(exposed(one)) >= {"x-request-id", "x-gateway-tier", "x-should-retry"}, name
        assert "access-control-allow-credentials" not in one.headers, name


async def test_what_is_exposed_is_what_is_sent() -> None:
    async with edge() as e:
        said = await e.ask(post())

    ours = {name for name, _ in said.fields if name.startswith("x-gateway-")}
    assert ours <= set(EXPOSED.split(","))


@pytest.mark.parametrize("ask", [post(None, f"Origin: {THEIRS}"), post()], ids=["another", "none"])
async def test_another_origin_may_not(ask: bytes) -> None:
    async with edge(limits={"cors_origins": (HERS,)}) as e:
        said = await e.ask(ask)

    assert said.status == 200
    assert SHOWN not in said.headers


async def test_a_preflight_of_an_allowed_origin_is_answered() -> None:
    async with edge(limits={"cors_origins": (HERS,)}) as e:
        hers, theirs = await e.ask(preflight(HERS)), await e.ask(preflight(THEIRS))

    assert hers.status == 200
    assert hers.headers[SHOWN] == HERS
    assert "POST" in hers.headers["access-control-allow-methods"]
    assert "x-gateway-tier" in hers.headers["access-control-allow-headers"].lower()
    assert hers.headers["access-control-max-age"] == "600"
    assert SHOWN not in theirs.headers


async def test_no_credentials_are_ever_asked_for() -> None:
    async with edge(limits={"cors_origins": ("*",)}) as e:
        said = await e.ask(preflight(HERS))

    assert said.headers[SHOWN] == "*"
    assert "access-control-allow-credentials" not in said.headers
