"""The page's files, and what it is told of the gateway."""

import re

import httpx
import pytest

from gateway.call import NO_WISHES
from gateway.flow.decisions import Decision
from gateway.http.ui import assets
from gateway.principal import Principal
from tests.http.office import ADMIN_KEY, FAR, NEAR, Office, error
from tests.observe.events import an_ended
from tests.route.choosing import EASY, HARD, chosen


@pytest.fixture
def anyio_backend() -> str:
    """Nothing here depends on the loop."""
    return "asyncio"


async def fetched(
    office: Office, path: str, *, peer: object = NEAR, **fields: str
) -> httpx.Response:
    transport = httpx.ASGITransport(office.app, raise_app_exceptions=False, client=peer)  # type: ignore[arg-type]  # an address
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as web:
        return await web.get(path, headers={n.replace("_", "-"): v for n, v in fields.items()})


async def test_the_page_is_at_ui_with_all_that_it_loads() -> None:
    office = Office()

    to = await fetched(office, "/ui")
    page = await fetched(office, "/ui/")

    assert (to.status_code, to.headers["location"]) == (307, "ui/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for path in re.findall(r'(?:src|href)="([\w./]+)"', page.text):
        assert (await fetched(office, f"/ui/{path}")).status_code == 200


async def test_every_module_that_one_imports_is_there() -> None:
    for path, asset in assets().items():
        if path.endswith(".js") and "/" not in path:
            imported = re.findall(r'from "\./([\w.]+)"', asset.body.decode())
            assert set(imported) <= set(assets())


async def test_it_loads_and_calls_this_gateway_alone() -> None:
    page = await fetched(Office(), "/ui/")

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for asset in assets().values():
        assert not re.search(rb"""(?:src|href)=["']https?:|import\(|@import""", asset.body)


async def test_a_file_the_browser_has_is_not_sent_again() -> None:
    office = Office()
    first = await fetched(office, "/ui/app.js")

    again = await fetched(office, "/ui/app.js", If_None_Match=first.headers["etag"])

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["nothing.js", "../__init__.py", "vendor/uPlot.LICENSE", "vendor"])
async def test_nothing_else_is_served(path: str) -> None:
    assert error(await fetched(Office(), f"/ui/{path}"))["code"] == "unknown_url"


async def test_it_is_shown_where_the_admin_api_is() -> None:
    assert (await fetched(Office(), "/ui/", peer=FAR)).status_code == 403
    assert (await fetched(Office(), "/ui/", Origin="https://evil.example")).status_code == 403
    assert (await fetched(Office(key=ADMIN_KEY), "/ui/", peer=FAR)).status_code == 403
    assert (await fetched(Office(key=ADMIN_KEY, everywhere=True), "/ui/", peer=FAR)).is_success


async def test_the_catalog_tells_prices_and_days_left() -> None:
    office = Office()
    told = (await office.ask("GET", "/catalog")).json()

    nano = told["models"][0]
    assert (told["simulated"], nano["tier"], nano["model"]) == (False, "nano", "gpt-4.1-nano")
    assert nano["usd_per_million"] == {"prompt": "0.1", "cached": "0.025", "completion": "0.4"}
    assert nano["deployments"]
    assert nano["days_left"] is None


async def test_the_metrics_are_shown_to_whoever_may_administer() -> None:
    office = Office(key=ADMIN_KEY, everywhere=True)

    refused = await office.ask("GET", "/metrics", peer=FAR)
    shown = await office.ask("GET", "/metrics", peer=FAR, Authorization=f"Bearer {ADMIN_KEY}")

    assert (refused.status_code, shown.status_code) == (401, 200)


async def test_the_recent_calls_are_decided_again_at_every_dial() -> None:
    office = Office()
    for number, seen in enumerate((EASY, HARD)):
        ended = an_ended(id=f"req_{number}")
        office.decisions.add(
            Decision(ended, 0.0, "chat", "", Principal(), NO_WISHES, seen, chosen(seen))
        )

    told = (await office.ask("GET", "/whatif")).json()

    assert told["calls"] == 2
    assert told["decided"]["tiers"] == {"nano": 1, "mini": 0, "full": 1}
    dials = {row["dial"]: row["tiers"] for row in told["dials"]}
    assert dials[0] == {"nano": 2, "mini": 0, "full": 0}
    assert dials[1]["full"] == 2


async def test_without_calls_there_is_nothing_to_decide_again() -> None:
    told = (await Office().ask("GET", "/whatif")).json()

    assert (told["calls"], told["decided"]["cost_usd"]) == (0, "0")
