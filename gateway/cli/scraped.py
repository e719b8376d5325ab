"""A page of metrics as a client reads it: sums, rates and quantiles of what a gateway counts.

Reads Prometheus' text format as far as a gateway writes it. Pure but for `fetch`.
"""

import math
import re
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

LIMIT_BYTES = 16 * 2**20
SECONDS = 5.0
LINE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Unreachable(Exception):
    """There is no such page; the text says why."""


class Sample(NamedTuple):
    """One number with its labels."""

    labels: Mapping[str, str]
    value: float


class Scrape:
    """A page at a moment; `at` is monotonic seconds, `wall` seconds since the epoch."""

    def __init__(self, text: str, at: float, wall: float = 0.0) -> None:
        self.at, self.wall = at, wall
        self._families: dict[str, list[Sample]] = {}
        for line in text.splitlines():
            found = None if line.startswith("#") else LINE.fullmatch(line)
            if found is not None:
                name, labels, value = found.groups()
                sample = Sample(dict(LABEL.findall(labels or "")), float(value))
                self._families.setdefault(name, []).append(sample)

    def samples(self, name: str, **labels: str) -> Iterator[Sample]:
        """The samples of a name that carry these labels."""
        for sample in self._families.get(name, ()):
            if labels.items() <= sample.labels.items():
                yield sample

    def total(self, name: str, **labels: str) -> float:
        """Their sum."""
        return sum(sample.value for sample in self.samples(name, **labels))

    def by(self, name: str, label: str, **labels: str) -> dict[str, float]:
        """Their sums by another label."""
        found: dict[str, float] = {}
        for sample in self.samples(name, **labels):
            key = sample.labels.get(label, "")
            found[key] = found.get(key, 0.0) + sample.value
        return found


class Span(NamedTuple):
    """What happened between two scrapes (`before` None: since the gateway started)."""

    now: Scrape
    before: Scrape | None = None

    def seconds(self) -> float:
        """How long it was."""
        if self.before is not None:
            return max(self.now.at - self.before.at, 1e-9)
        return max(self.now.wall - self.now.total("process_start_time_seconds"), 1e-9)

    def gained(self, name: str, **labels: str) -> float:
        """What a counter gained; a gateway that was restarted begins at zero."""
        now = self.now.total(name, **labels)
        was = self.before.total(name, **labels) if self.before is not None else 0.0
        return now - was if now >= was else now

    def shares(self, name: str, label: str) -> dict[str, float]:
        """What a counter gained by a label, as parts of one."""
        gained = {key: self.gained(name, **{label: key}) for key in self.now.by(name, label)}
        whole = sum(gained.values())
        return {key: value / whole for key, value in gained.items()} if whole else {}

    def quantile(self, name: str, part: float, **labels: str) -> float | None:
        """A histogram's quantile, as the upper bound of its bucket; None where nothing was seen."""
        bounds = sorted(self.now.by(f"{name}_bucket", "le", **labels), key=float)
        counts = [self.gained(f"{name}_bucket", le=bound, **labels) for bound in bounds]
        if not counts or not counts[-1]:
            return None
        wanted = part * counts[-1]
        for bound, count in zip(bounds, counts, strict=True):
            if count >= wanted:
                return float(bound)
        return math.inf


def fetch(url: str, at: float, wall: float) -> Scrape:
    """A gateway's page of metrics.

    Raises:
        Unreachable: there is none.
    """
    connection, path = _connection(url)
    try:
        connection.request("GET", f"{path.rstrip('/')}/metrics")
        reply = connection.getresponse()
        body = reply.read(LIMIT_BYTES)
    except (OSError, HTTPException) as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        message = f"{url} cannot be reached: {words}"
        raise Unreachable(message) from None
    finally:
        connection.close()
    if reply.status != 200:
        message = f"{url}/metrics answered {reply.status}: it is shown to its own machine only"
        raise Unreachable(message)
    return Scrape(body.decode(errors="replace"), at, wall)


def _connection(url: str) -> tuple[HTTPConnection, str]:
    """A connection to a gateway, not yet opened, and the path of its address."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        kind = {"http": HTTPConnection, "https": HTTPSConnection}[parts.scheme]
        if parts.hostname:
            return kind(parts.hostname, parts.port, timeout=SECONDS), parts.path
    except (ValueError, LookupError):
        pass
    message = f"{url} is no address of a gateway"
    raise Unreachable(message)
