"""Several workers on one port: real processes, a real Redis, real signals."""

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.app.supervisor import LONGEST_PAUSE, pause
from tests.app.test_processes import FAST, address, started
from tests.store.redis_server import RedisServer, redis_server, until

LONG = 40.0
"""Seconds a busy machine may take to start processes."""


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@contextmanager
def crew(server: RedisServer, workers: int) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    environ = {**FAST, "GATEWAY_SIMULATE_ENABLED": "true", "GATEWAY_REDIS_URL": server.url}
    with started("serve", "--workers", str(workers), environ=environ) as process:
        url = address(process)
        until(lambda: listening(url) == workers, LONG)
        yield process, url


def listening(url: str) -> int:
    """How many sockets listen on the port."""
    port = f":{int(url.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return sum(row[1].endswith(port) and row[3] == "0A" for row in rows)


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def ask(url: str, number: int) -> bool:
    """One call on a connection of its own; False: whoever took it was killed."""
    message = {"role": "user", "content": f"Hello, number {number}"}
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}/v1/chat/completions",
        json.dumps({"model": "nano", "messages": [message]}).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:  # noqa: S310 - loopback
            return bool(reply.status == 200)
    except OSError:
        return False


def counted(url: str) -> float:
    with urllib.request.urlopen(f"{url}/metrics", timeout=20) as reply:  # noqa: S310 - loopback
        lines = reply.read().decode().splitlines()
    wanted = 'gateway_requests_total{outcome="ok",'
    return sum(float(line.split()[-1]) for line in lines if line.startswith(wanted))


def decided(url: str) -> set[str]:
    """The ids of all decisions, by whichever worker takes the connection."""
    with urllib.request.urlopen(f"{url}/admin/v1/decisions?limit=500", timeout=20) as reply:  # noqa: S310 - loopback
        rows = json.loads(reply.read())["data"]
    assert len(rows) == len({row["id"] for row in rows})
    return {row["id"] for row in rows}


def found(url: str, call_id: str) -> str:
    with urllib.request.urlopen(f"{url}/admin/v1/decisions/{call_id}", timeout=20) as reply:  # noqa: S310 - loopback
        said: str = json.loads(reply.read())["id"]
    return said


def test_workers_share_a_port_and_any_of_them_tells_of_all(server: RedisServer) -> None:
    with crew(server, 3) as (process, url):
        answered = sum(ask(url, number) for number in range(60))
        until(lambda: counted(url) == answered)
        until(lambda: len(decided(url)) == answered)
        # Each connection is taken by one worker or another; each hears of the others in its time.
        all_of_them = decided(url)
        until(lambda: all(decided(url) == all_of_them for _ in range(6)))
        assert {found(url, one) for one in list(all_of_them)[:4]} < all_of_them
        [dies, *others] = children(process.pid)
        os.kill(dies, signal.SIGKILL)
        until(lambda: dies not in children(process.pid) and listening(url) == 3, LONG)
        answered += sum(ask(url, number) for number in range(20))
        until(lambda: counted(url) == answered)

        process.send_signal(signal.SIGTERM)
        said, complaints = process.communicate(timeout=30)

    assert answered >= 60
    assert process.returncode == 0
    # At once if it had served for ten seconds, which on a busy machine it may.
    assert f"(process {dies}) was ended by signal 9; it is started again in 0." in said
    assert complaints == ""
    assert not any(map(alive, others))


def test_an_interrupt_lets_all_workers_finish(server: RedisServer) -> None:
    with crew(server, 2) as (process, url):
        assert ask(url, 0)
        workers = children(process.pid)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)

    assert process.returncode == 0
    assert not any(map(alive, workers))


def test_workers_do_not_outlive_their_supervisor(server: RedisServer) -> None:
    with crew(server, 2) as (process, _):
        workers = children(process.pid)
        process.kill()
        until(lambda: not any(map(alive, workers)))


def test_what_keeps_workers_from_serving_is_said_once_and_is_exit_1() -> None:
    with redis_server() as server:
        server.ask("SET", "tg:schema", "99")
        environ = {**FAST, "GATEWAY_SIMULATE_ENABLED": "true", "GATEWAY_REDIS_URL": server.url}
        with started("serve", "--workers", "4", environ=environ) as process:
            said, complaints = process.communicate(timeout=30)

    assert process.returncode == 1
    assert complaints.count("holds a schema") == 1
    assert "listening" not in said


def test_an_address_that_is_taken_is_found_before_any_worker_starts(server: RedisServer) -> None:
    with crew(server, 2) as (_, url):
        environ = {**FAST, "GATEWAY_REDIS_URL": server.url, "GATEWAY_SERVER_WORKERS": "2"}
        environ["GATEWAY_SERVER_PORT"] = url.rpartition(":")[2]
        with started("serve", environ=environ) as second:
            _, complaints = second.communicate(timeout=30)

    assert second.returncode == 1
    assert "Address already in use" in complaints


def test_a_worker_that_keeps_ending_is_started_ever_more_rarely() -> None:
    assert [pause(failures) for failures in (0, 1, 2, 3)] == [0, 0.1, 0.2, 0.4]
    assert pause(10_000) == LONGEST_PAUSE
