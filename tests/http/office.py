"""The admin API over stores in memory, asked as from any machine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from gateway.access.directory import Directory, Team
from gateway.catalog import Secret
from gateway.flow.decisions import Decisions
from gateway.flow.together import Together
from gateway.http.admin import Admin
from gateway.http.admin_decisions import Watching
from gateway.http.pages import Page, Ready, create
from gateway.money import usd
from gateway.principal import Allowance, KeyRecord, Period, Terms
from tests.access.fakes import Dice, FakeKeys, FakeLedger, made
from tests.fakes import FakeClock, catalog

NEAR = ("127.0.0.1", 40_000)
FAR = ("203.0.113.7", 40_000)
ADMIN_KEY = "admin-canary-0123456789abcdef"
CONFIGURED, CONFIGURED_KEY = made("from-file", seed=77)
DIRECTORY = Directory(
    {
        "search": Team("acme", Terms(allowances=(Allowance(usd("50"), Period.DAY),))),
        "billing": Team(terms=Terms(requests_per_minute=60)),
    },
    {"acme": Terms(allowances=(Allowance(usd("1000"), Period.MONTH, rolling=True),))},
)


async def always_ready() -> Ready:
    return Ready()


def page(**more: Any) -> Page:
    return Page(
        catalog=catalog(),
        render=lambda _: b"",
        media_type=lambda _: "text/plain",
        ready=always_ready,
        make_id=lambda: "req_1",
        made=1,
        **more,
    )


@dataclass
class Office:
    """An admin API, and all that it stands on."""

    clock: FakeClock = field(default_factory=FakeClock)
    keys: FakeKeys = field(default_factory=FakeKeys)
    records: tuple[KeyRecord, ...] = (CONFIGURED,)
    key: str | None = None
    everywhere: bool = False
    looks: int = 3
    while_pausing: Callable[[int], None] = lambda _: None

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(self.clock)
        self.admin = Admin(
            keys=self.keys,
            ledger=self.ledger,
            directory=DIRECTORY,
            wall=self.clock.wall,
            randomness=Dice(3),
            records=self.records,
            key=None if self.key is None else Secret(self.key),
            everywhere=self.everywhere,
        )
        self.decisions = Decisions(20)
        self.stops = False
        self.pauses: list[float] = []
        self.watching = Watching(
            Together(self.decisions, self.clock, 20), self._pause, lambda: self.stops
        )
        self.app = create(page(admin=self.admin, watching=self.watching, cors_origins=("*",)))

    async def _pause(self, seconds: float) -> None:
        """Nobody waits; who watches an office watches one that closes after some looks."""
        self.pauses.append(seconds)
        self.stops = len(self.pauses) > self.looks
        self.while_pausing(len(self.pauses))

    async def ask(
        self, method: str, path: str, body: Any = None, *, peer: Any = NEAR, **headers: str
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=peer)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as web:
            return await web.request(method, f"/admin/v1{path}", json=body, headers=named)

    async def create(self, **said: Any) -> dict[str, Any]:
        answer = await self.ask("POST", "/keys", {"name": "search-prod", **said})
        assert answer.status_code == 201
        found: dict[str, Any] = answer.json()
        return found


def error(answer: httpx.Response) -> dict[str, Any]:
    """The error of a reply in OpenAI's envelope."""
    assert answer.headers["x-request-id"] == "req_1"
    document = answer.json()
    assert list(document) == ["error"]
    found: dict[str, Any] = document["error"]
    assert sorted(found) == ["code", "message", "param", "type"]
    return found
