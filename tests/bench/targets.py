"""The servers of a run: the upstream, nginx as a plain reverse proxy, and the gateway itself."""

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import Recipe, Server, running
from tests.bench.tools import Cores
from tests.processes import free_port

ROOT = Path(__file__).parents[2]
STREAM_GAP_US = 20_000
# Models of our own, so that no published date or price changes what is measured: dollars per
# million tokens of prompt, cached prompt and completion.
PRICES = {
    "bench-nano": ("0.10", "0.025", "0.40"),
    "bench-mini": ("0.40", "0.10", "1.60"),
    "bench-full": ("2.00", "0.50", "8.00"),
}
# What a caller's own environment says must not change what is measured.
OURS = ("GATEWAY_", "OPENAI_", "TIERGATE_")

NGINX = """
{user}
daemon off;
worker_processes 1;
pid {place}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {place}/client;
  proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi;
  scgi_temp_path {place}/scgi;
  client_max_body_size 16m;
  keepalive_requests 1000000000;
  upstream far {{
    server 127.0.0.1:{upstream};
    keepalive 512;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://far;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """What is started and where it may write."""

    upstream: Path
    nginx: str
    taskset: str
    cores: Cores
    place: Path
    command: str = ""
    """A command line to measure in the gateway's place, with {port} and {upstream}."""


@contextmanager
def bystanders(programs: Programs) -> Iterator[tuple[Server, Server]]:
    """The upstream, and nginx before it."""
    port = free_port()
    far = Recipe(
        name="the upstream",
        command=(str(programs.upstream), str(port), str(STREAM_GAP_US)),
        port=port,
        strict=True,
    )
    with ExitStack() as stack:
        upstream = stack.enter_context(
            running(
                far,
                taskset=programs.taskset,
                core=programs.cores.tools,
                log=programs.place / "upstream.log",
            )
        )
        nginx = stack.enter_context(started(programs, _nginx(programs, port)))
        yield upstream, nginx


@contextmanager
def started(programs: Programs, recipe: Recipe) -> Iterator[Server]:
    """A server on the core where proxies are measured."""
    log = programs.place / f"{recipe.name}.log"
    with running(recipe, taskset=programs.taskset, core=programs.cores.proxy, log=log) as server:
        yield server


def gateway(
    programs: Programs,
    upstream: Server,
    before: Sequence[str] = (),
    more: Mapping[str, object] | None = None,
) -> Recipe:
    """How the gateway is started: as its users start it, with a catalog of this upstream.

    `before` is what stands between the interpreter and `-m gateway` (a profiler, say), `more` are
    further sections of its configuration.
    """
    port = free_port()
    config = {
        "server": {"host": "127.0.0.1", "port": port},
        "log": {"format": "json"},
        "catalog": {
            "base_url": f"http://127.0.0.1:{upstream.port}/v1",
            "key": "sk-bench-5f0c9a71d3e84b26",
            "models": {name: _model(*price) for name, price in PRICES.items()},
            "tiers": {name.removeprefix("bench-"): name for name in PRICES},
        },
    }
    config["store"] = {"data": str(programs.place / "data")}
    config |= more or {}
    # JSON is YAML, and is written without a library.
    path = programs.place / f"tiergate-{port}.yaml"
    path.write_text(json.dumps(config, indent=2))
    command = [sys.executable, *(before or ("-m", "gateway")), "serve", "--config", str(path)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    # Compiled modules as an installed gateway has them, but kept out of the tree.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    environ |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(programs.place / "pycache")}
    if not programs.command:
        return Recipe("gateway", command, port, "/healthz", strict=True, environ=environ)
    words = shlex.split(programs.command.format(port=port, upstream=upstream.port))
    return Recipe("stand-in", words, port, "/healthz")


def _model(prompt: str, cached: str, completion: str) -> dict[str, object]:
    return {
        "price": {"prompt": prompt, "cached": cached, "completion": completion},
        "context_window": 1_047_576,
        "max_output": 32_768,
        "capabilities": ["tools", "parallel_tools", "json_schema", "vision", "logprobs"],
    }


def _nginx(programs: Programs, upstream: int) -> Recipe:
    port = free_port()
    # Workers of a root nginx change to a user who may not write here.
    user = "user root;" if os.geteuid() == 0 else ""
    path = programs.place / "nginx.conf"
    path.write_text(NGINX.format(user=user, place=programs.place, upstream=upstream, port=port))
    return Recipe("nginx", (programs.nginx, "-c", str(path), "-e", "stderr"), port, strict=True)
