"""The desk of `tiergate keys` and `tiergate spend`, over stores in memory."""

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rich.console import Console

from gateway.cli.keys import KeyDesk
from gateway.cli.work import Desk, Showing, Store
from gateway.ports import Keys, Ledger
from gateway.settings.schema import Settings
from tests.access.fakes import Dice, FakeKeys, FakeLedger
from tests.fakes import FakeClock

ENVIRON: Mapping[str, str] = {"OPENAI_API_KEY": "sk-abc"}


@dataclass(frozen=True)
class FakeStore:
    keys: Keys
    ledger: Ledger


@dataclass
class Counter:
    """Where keys are asked for; `fails` is what opening the store raises."""

    environ: Mapping[str, str] = field(default_factory=lambda: ENVIRON)
    fails: Exception | None = None
    clock: FakeClock = field(default_factory=FakeClock)
    keys: FakeKeys = field(default_factory=FakeKeys)
    opened: list[Settings] = field(default_factory=list)
    closed: int = 0

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(self.clock)
        self.out, self.err = io.StringIO(), io.StringIO()
        desk = Desk(
            product=lambda: self,
            environ=self.environ,
            today=lambda: date(2026, 11, 20),
            out=Console(file=self.out, width=160),
            err=Console(file=self.err, width=40),
            stdin=io.StringIO(),
        )
        self.desk = KeyDesk(desk, self.clock.wall, Dice(11))

    def drive(
        self, settings: Settings, url: str, *, seconds: float | None, rate: float, show: Showing
    ) -> bool:
        raise NotImplementedError

    def open_store(self, settings: Settings) -> AbstractAsyncContextManager[Store]:
        self.opened.append(settings)
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Store]:
        if self.fails is not None:
            raise self.fails
        try:
            yield FakeStore(self.keys, self.ledger)
        finally:
            self.closed += 1

    def serve(self, settings: Settings) -> int:
        raise NotImplementedError

    def demo(self, settings: Settings, *, seconds: float | None, rate: float, show: Showing) -> int:
        raise NotImplementedError

    def explain(
        self, settings: Settings, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        raise NotImplementedError

    def create(self, name: str = "search-prod", *, as_settings: bool = False, **said: Any) -> int:
        return self.desk.create(None, {"name": name, **said}, as_settings=as_settings)

    def printed(self) -> str:
        """What went to standard output since it was last looked at."""
        text = self.out.getvalue()
        self.out.seek(0)
        self.out.truncate()
        return text

    def told(self) -> str:
        """Likewise on standard error."""
        text = self.err.getvalue()
        self.err.seek(0)
        self.err.truncate()
        return text
