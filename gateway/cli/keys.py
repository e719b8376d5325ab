"""What `tiergate keys` does: opens the store that the settings name, and changes the keys in it.

A new key goes to standard output alone, once, so that a script can take it; everything said about
it goes to standard error. Nothing else ever prints or keeps a key.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any

from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from gateway.access.changing import change
from gateway.access.records import created, looked_up, revoked, rotated
from gateway.access.statements import Row, key_row
from gateway.access.token import RANDOM_BYTES, Kept, spell_kept
from gateway.catalog import Secret
from gateway.cli import spend as spending, work
from gateway.cli.work import BAD_CONFIGURATION, FAILED, OK, TYPED_WRONG, Desk, Store
from gateway.clock import SystemClock
from gateway.errors import GatewayError, InvalidValue
from gateway.principal import KeyRecord
from gateway.settings import access
from gateway.settings.asked import AskedKey, new_key
from gateway.settings.complaints import sentence
from gateway.settings.schema import Settings
from gateway.settings.stores import MEMORY

OPTIONS: Mapping[str, str] = {
    "name": "NAME",
    "allowances": "--allowance",
    "requests_per_minute": "--rpm",
    "tokens_per_minute": "--tpm",
}
STYLES = {"active": "green", "expired": "yellow", "revoked": "dim"}
FORGETFUL = (
    "store.data is `memory`: keys and spend end with the process that made them. Set store.data or "
    "GATEWAY_REDIS_URL, or make a key for the configuration with `keys create NAME --settings`."
)

Doing = Callable[[Settings, Store], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class KeyDesk:
    """Does the work of `tiergate keys` and `tiergate spend`, with all it touches given to it."""

    desk: Desk
    wall: Callable[[], float]
    randomness: Callable[[int], bytes]

    def create(self, config: Path | None, said: Mapping[str, object], *, as_settings: bool) -> int:
        """Make a key and print it."""
        try:
            asked = AskedKey.model_validate(said)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self.desk.say("error", f"{_option(detail['loc'])} {sentence(detail)}")
            return TYPED_WRONG
        if as_settings:
            return self._printed(config, asked)

        async def make(settings: Settings, store: Store) -> int:
            record, key = created(
                new_key(asked, access.directory(settings), self.wall()),
                await self._every(settings, store),
                randomness=self.randomness(RANDOM_BYTES),
                now=self.wall(),
            )
            await store.keys.put(record)
            return self._shown_once(key, f"This is key {record.name} (id {record.id}).")

        return self.with_store(config, make)

    def listed(self, config: Path | None, *, team: str, as_json: bool) -> int:
        """Print the keys there are."""

        async def show(settings: Settings, store: Store) -> int:
            configured = {record.id for record in access.records(settings, self.randomness)}
            rows = [
                key_row(record, self.wall(), configured=record.id in configured)
                for record in await self._every(settings, store)
                if not team or record.team == team
            ]
            if as_json:
                self.desk.out.file.write(json.dumps(rows, indent=2) + "\n")
            elif rows:
                self.desk.out.print(table(rows))
            else:
                self.desk.say("", "There are no keys.")
            return OK

        return self.with_store(config, show)

    def revoke(self, config: Path | None, key: str) -> int:
        """Revoke a key."""

        async def end(settings: Settings, store: Store) -> int:
            record = await change(
                store.keys,
                lambda: self._changeable(settings, store, key),
                lambda before: revoked(before, self.wall()),
            )
            self.desk.say("", f"Key {record.name} (id {record.id}) is revoked.")
            return OK

        return self.with_store(config, end)

    def rotate(self, config: Path | None, key: str) -> int:
        """Print a new secret for a key."""

        async def renew(settings: Settings, store: Store) -> int:
            made: list[Secret] = []

            def renewed(before: KeyRecord) -> KeyRecord:
                record, fresh = rotated(before, randomness=self.randomness(RANDOM_BYTES))
                made.append(fresh)
                return record

            record = await change(
                store.keys, lambda: self._changeable(settings, store, key), renewed
            )
            words = f"This is the new key {record.name} (id {record.id}); the old one is dead."
            return self._shown_once(made[-1], words)

        return self.with_store(config, renew)

    def spend(self, config: Path | None, said: Mapping[str, str], *, limit: int, form: str) -> int:
        """Print what was spent."""
        try:
            days = spending.days(said, today=self.desk.today())
        except InvalidValue as error:
            self.desk.say("error", error.message)
            return TYPED_WRONG

        async def show(settings: Settings, store: Store) -> int:
            records = await self._every(settings, store)
            query = spending.query(said, records, days=days, limit=limit)
            found = await store.ledger.spend(query)
            if len(found) > limit:
                self.desk.say("warning", f"there are more than {limit} rows: ask for fewer days")
            spending.show(self.desk.out, found[:limit], records, form=form)
            return OK

        return self.with_store(config, show)

    def with_store(self, config: Path | None, do: Doing) -> int:
        """Read the settings, open the store, do something with it; what goes wrong is said."""
        settings = self.desk.load(config, {})
        if settings is None:
            return BAD_CONFIGURATION
        if settings.store.redis_url is None and settings.store.data == MEMORY:
            self.desk.say("error", FORGETFUL)
            return FAILED

        async def opened() -> int:
            async with self.desk.product().open_store(settings) as store:
                return await do(settings, store)

        try:
            return asyncio.run(opened())
        except GatewayError as error:
            self.desk.say("error", error.message)
        except BrokenPipeError:
            raise  # nobody reads what is printed: no fault of the store
        except OSError as error:
            self.desk.say("error", f"the store cannot be opened: {error.strerror or error}")
        return FAILED

    async def _every(self, settings: Settings, store: Store) -> list[KeyRecord]:
        return [*access.records(settings, self.randomness), *await store.keys.every()]

    async def _changeable(self, settings: Settings, store: Store, key: str) -> KeyRecord:
        record = looked_up(key, await self._every(settings, store))
        if any(record.id == other.id for other in access.records(settings, self.randomness)):
            message = "This key stands in the configuration; change it there."
            raise InvalidValue(message)
        return record

    def _printed(self, config: Path | None, asked: AskedKey) -> int:
        """Print lines for the configuration instead of storing anything."""
        settings = self.desk.load(config, {})
        if settings is None:
            return BAD_CONFIGURATION
        try:
            wanted = new_key(asked, access.directory(settings), self.wall())
            others = access.records(settings, self.randomness)
            record, key = created(
                wanted, others, randomness=self.randomness(RANDOM_BYTES), now=self.wall()
            )
        except GatewayError as error:
            self.desk.say("error", error.message)
            return FAILED
        self.desk.out.file.write(as_lines(record))
        self.desk.say("", f"The key, which is shown this once: {key.reveal()}")
        return OK

    def _shown_once(self, key: Secret, words: str) -> int:
        self.desk.out.file.write(f"{key.reveal()}\n")
        self.desk.say("", f"{words} It is shown this once and cannot be read back.")
        return OK


def _option(place: tuple[int | str, ...]) -> str:
    name = str(place[0])
    return OPTIONS.get(name, f"--{name.replace('_', '-')}")


def as_lines(record: KeyRecord) -> str:
    """A key as an item of the configuration's `keys`; JSON's values are YAML's."""
    row = key_row(record, 0.0, configured=True)
    held = spell_kept(Kept(record.id, record.salt, record.digest))
    said: Row = {"name": record.name, "digest": held}
    for name in ("team", "expires", *list(row)[list(row).index("allowances") :]):
        if row[name] not in (None, []):
            said[name] = row[name]
    lines = [f"    {name}: {json.dumps(value)}" for name, value in said.items()]
    return "keys:\n  - " + "\n".join(lines).lstrip() + "\n"


def table(rows: list[Row]) -> Table:
    """Keys for people."""
    made = Table(box=None, pad_edge=False, header_style="bold underline")
    for title in ("id", "name", "team", "status", "expires"):
        made.add_column(title, no_wrap=True)
    made.add_column("terms", overflow="fold")
    for row in rows:
        status = row["status"]
        made.add_row(
            row["id"],
            Text(row["name"]),
            Text(row["team"] or "–"),
            Text(status, style=STYLES[status]),
            (row["expires"] or "–").removesuffix("T00:00:00Z"),
            Text(_terms(row)),
        )
    return made


def _terms(row: Mapping[str, Any]) -> str:
    words = [*row["allowances"]]
    for name, unit in (
        ("requests_per_minute", "rpm"),
        ("tokens_per_minute", "tpm"),
        ("parallel", "at a time"),
    ):
        if row[name] is not None:
            words.append(f"{row[name]} {unit}")
    words += [",".join(row[name]) for name in ("tiers", "models") if row[name] is not None]
    return "; ".join(words) or "–"


def here() -> KeyDesk:
    """The desk of this process."""
    return KeyDesk(work.here(), SystemClock().wall, token_bytes)
