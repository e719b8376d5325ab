"""`tiergate doctor`: what could go wrong at night, looked at now, each with what to do about it.

Only free calls are made: the upstream's list of models, Redis' PING and INFO, a bind of the port.
No finding quotes a secret.
"""

import asyncio
import os
import platform
import resource
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from gateway import __version__
from gateway.app.stores import data, probe
from gateway.app.survey import MISSING, PRESENT, Account, Behind, account, accounts, survey
from gateway.catalog import Catalog
from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.settings.advice import warnings
from gateway.settings.catalog import build
from gateway.settings.schema import Settings
from gateway.store.redis.store import Health
from gateway.upstream.listing import Listing

# Beyond it, expiries and calendar windows are visibly off; a minute breaks TLS and signatures.
SKEW_WARNS, SKEW_FAILS = 5.0, 60.0
# A round trip that costs more than a call's own overhead many times over.
SLOW_REDIS_SECONDS = 0.005
OLDEST_REDIS = (6, 2)
# Sockets a call takes (the client's and the upstream's), and what a process has open besides.
SOCKETS_PER_CALL, OPEN_BESIDES = 2, 64
FULL_DISK_BYTES = 500 * 2**20
NOTICE_DAYS = 30
NEEDED = ("uvicorn", "httptools", "httpx", "orjson", "redis", "tiktoken")


class Verdict(Enum):
    """How a finding is to be taken."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(NamedTuple):
    """One thing looked at: what was found, and what to do about it ("": nothing)."""

    about: str
    verdict: Verdict
    words: str
    advice: str = ""

    def document(self) -> dict[str, str]:
        """JSON-ready values."""
        return {**self._asdict(), "verdict": self.verdict.value}


def doctor(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Look at everything."""
    catalog = build(settings)
    today = datetime.fromtimestamp(SystemClock().wall(), UTC).date()
    told = asyncio.run(accounts(settings, catalog))
    return [
        *versions(),
        *configuration(settings, catalog, today, environ),
        *upstreams(catalog, told, simulated=settings.simulate.enabled),
        *(lifecycle(one) for one in survey(catalog, told, today) if told),
        store(settings),
        descriptors(settings, resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        port(settings.server.host, settings.server.port),
    ]


def versions() -> Iterator[Finding]:
    """What runs."""
    found, missing = [], []
    for name in NEEDED:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    words = f"tiergate {__version__}, Python {platform.python_version()}, {', '.join(found)}"
    if missing:
        advice = "Install the package again: `pip install --force-reinstall tiergate`."
        yield Finding("versions", Verdict.FAIL, f"{words}; not installed: {missing}", advice)
        return
    yield Finding("versions", Verdict.OK, words)


def configuration(
    settings: Settings, catalog: Catalog, today: date, environ: Mapping[str, str]
) -> Iterator[Finding]:
    """The warnings of `tiergate check`."""
    said = warnings(settings, catalog, today=today, environ=environ)
    for sentence in said:
        yield Finding("configuration", Verdict.WARN, sentence)
    if not said:
        yield Finding("configuration", Verdict.OK, "nothing to warn of")


def upstreams(
    catalog: Catalog, told: Mapping[Account, Listing], *, simulated: bool
) -> Iterator[Finding]:
    """Whether each account is there and takes its key, and whose clock is right."""
    if simulated:
        advice = "Set OPENAI_API_KEY, OPENAI_BASE_URL or a configuration to call real models."
        yield Finding("upstream", Verdict.WARN, "answers are simulated", advice)
    for whose, listed in told.items():
        host = urlsplit(whose[0]).netloc
        names = ", ".join(one.name for one in catalog.deployments() if account(one) == whose)
        label = f"upstream {host} ({names})"
        yield _reached(label, listed, keyed=bool(whose[1]))
        if listed.skew is not None:
            yield _clock(host, listed.skew)


def _reached(label: str, told: Listing, *, keyed: bool) -> Finding:
    if told.status == 0:
        advice = "Is the address right, and may this machine reach it (firewall, proxy, TLS)?"
        return Finding(label, Verdict.FAIL, told.trouble, advice)
    if told.status in (401, 403):
        advice = "Set another key: `tiergate check` names its setting."
        if not keyed:
            advice = "Give the deployment a `key`."
        return Finding(label, Verdict.FAIL, told.trouble, advice)
    if told.trouble:
        advice = "Calls may work all the same; what it serves cannot be told."
        return Finding(label, Verdict.WARN, told.trouble, advice)
    took = f"{told.seconds * 1000:.0f} ms"
    accepted = "takes the key, " if keyed else ""
    return Finding(label, Verdict.OK, f"{accepted}lists {len(told.models)} models, in {took}")


def _clock(host: str, skew: float) -> Finding:
    words = f"this machine's is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} {host}'s"
    # The header counts whole seconds.
    if abs(skew) <= SKEW_WARNS:
        return Finding("clock", Verdict.OK, f"agrees with {host}'s")
    verdict = Verdict.FAIL if abs(skew) > SKEW_FAILS else Verdict.WARN
    return Finding("clock", verdict, words, "Synchronise it (chrony, systemd-timesyncd).")


def lifecycle(one: Behind) -> Finding:
    """Whether a tier's model is there, and for how long."""
    about = f"model {one.model} (tier {one.tier}, deployment {one.deployment})"
    days, then = one.days_left, one.successor
    advice = f"Choose another: `catalog.tiers.{one.tier}`."
    follows = f"; {then} takes its place" if then else ""
    verdict = Verdict.FAIL if one.fails() else Verdict.WARN
    if one.presence == MISSING:
        return Finding(about, verdict, f"its account does not have it{follows}", advice)
    if days is not None and days <= 0:
        return Finding(about, verdict, f"ended on {one.shutdown}{follows}", advice)
    if days is not None and days <= NOTICE_DAYS:
        words = f"ends on {one.shutdown}, in {days} days{follows}"
        return Finding(about, Verdict.WARN, words, "" if then else advice)
    until = f", until {one.shutdown} ({days} days){follows}" if days is not None else ""
    words = "is there" if one.presence == PRESENT else "cannot be looked up"
    return Finding(about, Verdict.OK, f"{words}{until}")


def store(settings: Settings) -> Finding:
    """Whether money and keys have a place to be kept."""
    if settings.store.redis_url is not None:
        try:
            return redis(asyncio.run(probe(settings)))
        except StoreUnavailable as error:
            return Finding("redis", Verdict.FAIL, error.message, "See `store` in the docs.")
    directory = data(settings)
    if directory is None:
        words = "`memory`: keys and spend end with the process"
        return Finding("store", Verdict.WARN, words, "Set `store.data`, or GATEWAY_REDIS_URL.")
    return _directory(directory)


def redis(health: Health) -> Finding:
    """How Redis is."""
    about = f"redis {health.where}"
    if health.trouble:
        advice = "Is it running, and are its address and password right?"
        return Finding(about, Verdict.FAIL, health.trouble, advice)
    words = f"version {health.version or 'unknown'}, answers in {health.seconds * 1000:.2f} ms"
    numbers = tuple(int(n) for n in health.version.split(".")[:2] if n.isdigit())
    if numbers and numbers < OLDEST_REDIS:
        return Finding(about, Verdict.FAIL, words, "Use Redis 6.2 or later.")
    if health.advice:
        return Finding(about, Verdict.WARN, words, health.advice)
    if health.seconds > SLOW_REDIS_SECONDS:
        return Finding(about, Verdict.WARN, words, "Every call with limits waits for it: move it.")
    return Finding(about, Verdict.OK, words)


def _directory(directory: Path) -> Finding:
    about, here = f"store {directory}", directory
    while not here.exists():
        here = here.parent
    if not os.access(here, os.W_OK | os.X_OK):
        advice = "Give its user the right to write there, or set `store.data`."
        return Finding(about, Verdict.FAIL, "cannot be written", advice)
    free = shutil.disk_usage(here).free
    words = f"can be written, {free / 2**30:.1f} GiB free"
    if free < FULL_DISK_BYTES:
        return Finding(about, Verdict.WARN, words, "Make room: a full disk stops the records.")
    return Finding(about, Verdict.OK, words)


def descriptors(settings: Settings, allowed: int) -> Finding:
    """Whether the process may open as many sockets as its settings ask for."""
    wanted = settings.server.max_calls_in_flight * SOCKETS_PER_CALL + OPEN_BESIDES
    words = f"{allowed} allowed, {wanted} may be needed"
    if 0 <= allowed < wanted:
        advice = f"Raise the limit (`ulimit -n {wanted}`, LimitNOFILE=), or lower "
        advice += "`server.max_calls_in_flight`."
        return Finding("file descriptors", Verdict.WARN, words, advice)
    return Finding("file descriptors", Verdict.OK, words)


def port(host: str, number: int, bind: Callable[[str, int], str] | None = None) -> Finding:
    """Whether the gateway could listen where it is told to."""
    about = f"port {host}:{number}"
    trouble = (bind or _bind)(host, number)
    if trouble:
        advice = "If that is not a running gateway, set `server.port`."
        return Finding(about, Verdict.WARN, trouble, advice)
    return Finding(about, Verdict.OK, "is free")


def _bind(host: str, number: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, number))
        except OSError as error:
            return f"cannot be listened on: {error.strerror}"
    return ""
