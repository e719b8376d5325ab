"""What the commands do: read the settings, say what is wrong with them, hand over to the product.

What is asked for goes to standard output; complaints and warnings go to standard error, so that a
pipe carries data only.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import import_module
from os import environ
from pathlib import Path
from typing import Any, Protocol, TextIO, cast

from rich.console import Console
from rich.text import Text

from gateway.catalog import Catalog
from gateway.cli import tables
from gateway.cli.show import Show
from gateway.clock import SystemClock
from gateway.errors import GatewayError
from gateway.ports import Keys, Ledger
from gateway.settings.advice import warnings
from gateway.settings.catalog import build
from gateway.settings.complaints import SettingsError
from gateway.settings.load import find, load
from gateway.settings.reference import json_schema, markdown as reference
from gateway.settings.schema import Settings
from gateway.settings.stores import MEMORY
from gateway.simulate.drive import Seen

OK = 0
FAILED = 1
TYPED_WRONG = 2
# EX_CONFIG of sysexits.h: supervisors know not to restart on it.
BAD_CONFIGURATION = 78

# Nothing is sent, so no key may be asked for, and nothing is worth remembering.
SIMULATED: Mapping[str, str] = {"GATEWAY_SIMULATE_ENABLED": "true", "GATEWAY_STORE_DATA": MEMORY}


# What shows a demonstration at a URL: entered, it gives what is told every call.
Showing = Callable[[str], AbstractContextManager[Callable[[Seen], None]]]


class Store(Protocol):
    """What remembers keys and money."""

    @property
    def keys(self) -> Keys:
        """The keys."""
        ...

    @property
    def ledger(self) -> Ledger:
        """The money."""
        ...


class Product(Protocol):
    """What the composition root offers."""

    def serve(self, settings: Settings) -> int:
        """Serve until told to stop; the exit code."""
        ...

    def demo(self, settings: Settings, *, seconds: float | None, rate: float, show: Showing) -> int:
        """Serve simulated traffic and show it; the exit code."""
        ...

    def drive(
        self,
        settings: Settings,
        url: str,
        *,
        seconds: float | None,
        rate: float,
        show: Showing,
    ) -> bool:
        """Send traffic to a gateway and show it; whether a simulation answers there.

        Raises:
            GatewayError: the gateway cannot be reached.
        """
        ...

    def explain(
        self, settings: Settings, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """Where a request would go, and why.

        Raises:
            GatewayError: no tier can answer it.
        """
        ...

    def open_store(self, settings: Settings) -> AbstractAsyncContextManager[Store]:
        """The store that the settings name, for as long as the context lasts.

        Raises:
            StoreUnavailable: it cannot be reached, or another process has it.
            OSError: its directory cannot be used.
        """
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Does the work of the commands, with everything it touches given to it."""

    product: Callable[[], Product]
    environ: Mapping[str, str]
    today: Callable[[], date]
    out: Console
    err: Console
    stdin: TextIO

    def serve(self, config: Path | None, said: Mapping[str, object]) -> int:
        """Serve until told to stop; `said` are settings by their variables, None unsaid."""
        settings = self.load(config, {n: str(v) for n, v in said.items() if v is not None})
        if settings is None or self._warned(settings) is None:
            return BAD_CONFIGURATION
        return self._listening(settings, lambda product: product.serve(settings))

    def demo(
        self, config: Path | None, *, url: str | None, seconds: float | None, rate: float
    ) -> int:
        """Serve simulated traffic, or send it to a gateway that runs elsewhere."""
        settings = self.load(config, SIMULATED)
        if settings is None:
            return BAD_CONFIGURATION
        if url is not None:
            return self._driving(settings, url, seconds=seconds, rate=rate)
        return self._listening(
            settings,
            lambda product: product.demo(
                settings, seconds=seconds, rate=rate, show=lambda url: Show(self.out, url)
            ),
        )

    def check(self, config: Path | None) -> int:
        """Say what is wrong with the configuration, or show what it means."""
        settings = self.load(config, {})
        if settings is None:
            return BAD_CONFIGURATION
        catalog = self._warned(settings)
        source = find(config, self.environ)
        self.out.print(tables.summary(settings, catalog, source))
        self.out.print(
            tables.tiers(catalog, simulated=settings.simulate.enabled, today=self.today())
        )
        return OK

    def route(
        self,
        config: Path | None,
        prompt: str,
        *,
        model: str,
        as_json: bool,
        headers: Sequence[str] = (),
    ) -> int:
        """Say where a prompt would go, and why; `headers` are lines such as `name: value`."""
        settings = self.load(config, SIMULATED)
        if settings is None:
            return BAD_CONFIGURATION
        if wrong := [line for line in headers if ":" not in line]:
            self.say("error", f"--header {wrong[0]!r}: write it as `name: value`")
            return TYPED_WRONG
        try:
            text = self.stdin.read() if prompt == "-" else prompt
            "".join((text, model, *headers)).encode()
        except UnicodeError:
            self.say("error", "what was typed, or the input, is not UTF-8 text")
            return TYPED_WRONG
        body = {"model": model, "messages": [{"role": "user", "content": text}]}
        said = [line.partition(":") for line in headers]
        fields = {name.strip(): value.strip() for name, _, value in said}
        try:
            explanation = self.product().explain(settings, body, fields)
        except GatewayError as error:
            self.say("error", error.message)
            return FAILED
        if as_json:
            self._print(json.dumps(explanation, indent=2, ensure_ascii=False) + "\n")
        else:
            self.out.print(tables.choice(explanation))
        return OK

    def schema(self, *, markdown: bool) -> int:
        """Print the reference of the settings."""
        self._print(reference() if markdown else json_schema())
        return OK

    def _driving(self, settings: Settings, url: str, *, seconds: float | None, rate: float) -> int:
        try:
            simulated = self.product().drive(
                settings, url, seconds=seconds, rate=rate, show=lambda at: Show(self.out, at)
            )
        except GatewayError as error:
            self.say("error", f"no gateway answers at {url}: {error.message}")
            return FAILED
        if not simulated:
            self.say("error", f"answers at {url} are not simulated: nothing more is sent there.")
            return FAILED
        return OK

    def _listening(self, settings: Settings, run: Callable[[Product], int]) -> int:
        """Run what listens; an address that cannot be had is said, not traced."""
        try:
            return run(self.product())
        except GatewayError as error:
            self.say("error", error.message)
            return FAILED
        except OSError as error:
            where = f"{settings.server.host}:{settings.server.port}"
            self.say("error", f"cannot listen on {where}: {error.strerror or error}")
            return FAILED

    def load(self, config: Path | None, said: Mapping[str, str]) -> Settings | None:
        """The settings, or every complaint on standard error."""
        try:
            return load(config, {**self.environ, **said})
        except SettingsError as error:
            for sentence in error.sentences():
                self.say("error", sentence)
            count = len(error.complaints)
            self.say("", f"{count} mistake{'s' if count > 1 else ''} in the configuration.")
            return None

    def _warned(self, settings: Settings) -> Catalog:
        catalog = build(settings)
        for sentence in warnings(settings, catalog, today=self.today(), environ=self.environ):
            self.say("warning", sentence)
        return catalog

    def say(self, kind: str, sentence: str) -> None:
        """Put a sentence on standard error."""
        colour = {"error": "bold red", "warning": "bold yellow"}.get(kind, "")
        head = Text(f"{kind}: " if kind else "", style=colour)
        # Never wrapped: a line is one complaint, for people and for grep.
        self.err.print(head + Text(sentence), soft_wrap=True)

    def _print(self, text: str) -> None:
        self.out.file.write(text)


def here() -> Desk:
    """The desk of this process."""
    return Desk(
        product=lambda: cast("Product", import_module("gateway.app")),
        environ=environ,
        today=lambda: datetime.fromtimestamp(SystemClock().wall(), UTC).date(),
        out=Console(),
        err=Console(stderr=True),
        stdin=sys.stdin,
    )
