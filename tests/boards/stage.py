"""A gateway before the simulation, a Redis, a Prometheus that scrapes: all real processes.

Prometheus runs with the project's own configuration; only how often it looks and where the gateway
is are changed, so that a minute's traffic is enough.
"""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import yaml

from tests.compose.shell import CannotTry
from tests.processes import bare_environment, free_port
from tests.store.redis_server import redis_server

START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.1
# Two addresses of the largest tier, so that there is somewhere to fall back to; a memory so small
# that replies are given up for room. Callers need no key; one has a key, soon at its limits.
CONFIGURATION = """\
server: {{host: 127.0.0.1, port: {port}}}
log: {{format: json, level: warning}}
cache: {{max_bytes: 20000, max_entry: 16000}}
breaker: {{failures: 3, cooldown: 20s}}
simulate: {{enabled: true, speed: 0.05}}
catalog:
  tiers:
    full:
      - {{model: gpt-4.1, name: full-eu}}
      - {{model: gpt-4.1, name: full-us}}
access: {{open: true}}
"""
LIMITS = ("--allowance", "1usd/month", "--rpm", "10")
PROMETHEUS = Path("deploy/prometheus")


@contextmanager
def gateway(place: Path) -> Iterator[tuple[httpx.Client, str]]:
    """A gateway; gives a client for it, and a key with limits.

    Raises:
        CannotTry: there is no Redis for it.
    """
    if shutil.which("redis-server") is None:
        message = "redis-server is not installed (Debian: apt install redis-server)"
        raise CannotTry(message)
    port = free_port()
    environ = {**bare_environment(), "GATEWAY_STORE_DATA": str(place / "data")}
    settings, key = _key(place, environ)
    configuration = place / "tiergate.yaml"
    configuration.write_text(CONFIGURATION.format(port=port) + settings)
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(configuration)]
    with (
        redis_server() as redis,
        _running(command, place / "gateway.log", {**environ, "GATEWAY_REDIS_URL": redis.url}),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client,
    ):
        _ready(client, "/healthz", place / "gateway.log")
        yield client, key


def _key(place: Path, environ: Mapping[str, str]) -> tuple[str, str]:
    """Settings of a key that has limits, and the key."""
    create = [sys.executable, "-m", "gateway", "keys", "create", "proof", "--settings", *LIMITS]
    made = subprocess.run(  # noqa: S603 - our own command
        create,
        env={**environ, "PYTHONPATH": str(Path.cwd())},
        cwd=place,
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout, made.stderr.split()[-1]


@contextmanager
def prometheus(place: Path, target: str) -> Iterator[httpx.Client]:
    """A Prometheus that watches the gateway at `target`; gives a client for it.

    Raises:
        CannotTry: it is not installed.
    """
    if shutil.which("prometheus") is None:
        message = "prometheus is not installed (Debian: apt install prometheus)"
        raise CannotTry(message)
    port = free_port()
    configuration = place / "prometheus.yml"
    configuration.write_text(yaml.safe_dump(_quickened(target, port)))
    command = [
        "prometheus",
        f"--config.file={configuration}",
        f"--storage.tsdb.path={place / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (
        _running(command, place / "prometheus.log", bare_environment()),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as client,
    ):
        _ready(client, "/-/ready", place / "prometheus.log")
        yield client


def _quickened(target: str, own_port: int) -> dict[str, object]:
    """The project's own configuration, looking every second at the processes of this proof."""
    found = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    found["global"] = dict.fromkeys(
        ("scrape_interval", "scrape_timeout", "evaluation_interval"), "1s"
    )
    found["rule_files"] = [str((PROMETHEUS / files).resolve()) for files in found["rule_files"]]
    targets = {"tiergate": target, "prometheus": f"127.0.0.1:{own_port}"}
    found["scrape_configs"] = [
        {"job_name": job["job_name"], "static_configs": [{"targets": [targets[job["job_name"]]]}]}
        for job in found["scrape_configs"]
    ]
    return dict(found)


@contextmanager
def _running(command: Sequence[str], log: Path, environ: Mapping[str, str]) -> Iterator[None]:
    with (
        log.open("w") as output,
        subprocess.Popen(  # noqa: S603 - our own commands
            list(command),
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _ready(client: httpx.Client, path: str, log: Path) -> None:
    end = time.perf_counter() + START_SECONDS
    while time.perf_counter() < end:
        with suppress(httpx.TransportError):
            if client.get(path).is_success:
                return
        time.sleep(POLL_SECONDS)
    message = f"did not come up:\n{log.read_text()[-3000:]}"
    raise RuntimeError(message)
