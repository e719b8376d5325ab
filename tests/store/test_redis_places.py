"""Reaching real servers: over TCP, TLS and sockets, as a user, in a database."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
import uvloop

from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.store.redis.faults import Refused
from gateway.store.redis.link import Link
from gateway.store.redis.topology import topology
from tests.processes import free_port
from tests.store.redis_server import RedisServer, linked, redis_server

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA, its certificate for localhost, and one of another CA."""
    where = tmp_path_factory.mktemp("tls")
    ours, other = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(where / "ca.pem")
    other.cert_pem.write_to_path(where / "other.pem")
    for name, issued in (
        ("server", ours.issue_cert("localhost", "127.0.0.1")),
        ("client", ours.issue_cert("gateway@example.com")),
    ):
        issued.private_key_pem.write_to_path(where / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(where / f"{name}.pem")
    return where


@pytest.fixture(scope="module")
def guarded(files: Path) -> Iterator[RedisServer]:
    """A server with TLS beside its socket, and a user who may do little."""
    port = str(free_port())
    with redis_server(
        tls_port=port,
        tls_cert_file=str(files / "server.pem"),
        tls_key_file=str(files / "server.key"),
        tls_ca_cert_file=str(files / "ca.pem"),
        user="tiergate on >secret%/ ~tg1:* ~tg:* +@all -@dangerous -ping",
    ) as server:
        yield server


async def test_a_database_of_its_own(redis: RedisServer) -> None:
    async with linked(f"{redis.url}?db=3") as link:
        await link.run("SET", "a", "in three")

        assert redis.ask("GET", "a") is None
        assert redis.ask("EVAL", "redis.call('SELECT', 3) return redis.call('GET', 'a')", 0)


async def test_over_tcp() -> None:
    with redis_server(port=None) as server:
        async with linked(server.tcp) as link:
            assert await link.run("PING") == b"PONG"


async def test_a_user_is_let_in_and_may_do_what_it_may(guarded: RedisServer) -> None:
    async with linked(f"unix://tiergate:secret%25%2F@{guarded.path}") as link:
        assert await link.run("SET", "tg1:a", 1) == b"OK"
        with pytest.raises(Refused) as refused:
            await link.run("SET", "elsewhere", 1)

        assert refused.value.word == "NOPERM"
        assert link.usable()


@pytest.mark.parametrize("options", ["", "&ssl_certfile={}/client.pem&ssl_keyfile={}/client.key"])
async def test_over_tls_both_prove_who_they_are(
    guarded: RedisServer, files: Path, options: str
) -> None:
    guarded.ask("CONFIG", "SET", "tls-auth-clients", "yes" if options else "no")
    port, more = guarded.options["tls-port"], options.replace("{}", str(files))
    async with linked(f"rediss://localhost:{port}?ssl_ca_certs={files}/ca.pem{more}") as link:
        assert await link.run("PING") == b"PONG"
        assert await link.run("PING") == b"PONG"


def test_the_loop_the_product_runs_on_hands_its_lines_over_too(
    guarded: RedisServer, files: Path
) -> None:
    guarded.ask("CONFIG", "SET", "tls-auth-clients", "no")
    secured = f"rediss://localhost:{guarded.options['tls-port']}?ssl_ca_certs={files}/ca.pem"

    async def asks(url: str) -> None:
        async with linked(url) as link:
            replies = await asyncio.gather(*(link.run("ECHO", n) for n in range(200)))
            assert replies == [b"%d" % n for n in range(200)]
            large = b"x" * 500_000
            assert await link.run("ECHO", large) == large

    for url in (guarded.url, secured):
        uvloop.run(asks(url))


async def test_a_server_that_cannot_prove_itself_is_not_talked_to(
    guarded: RedisServer, files: Path
) -> None:
    guarded.ask("CONFIG", "SET", "tls-auth-clients", "no")
    port = guarded.options["tls-port"]
    for options in (f"?ssl_ca_certs={files}/other.pem", ""):
        async with linked(f"rediss://localhost:{port}{options}") as link:
            with pytest.raises(StoreUnavailable):
                await link.run("PING")

    async with linked(f"rediss://localhost:{port}?ssl_cert_reqs=none") as careless:
        assert await careless.run("PING") == b"PONG"


def test_a_tls_file_that_is_missing_or_empty_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()

    with pytest.raises(OSError, match="No such file"):
        Link(topology(f"rediss://h?ssl_ca_certs={tmp_path}/none.pem"), CLOCK)
    with pytest.raises(ValueError, match="no certificate"):
        Link(topology(f"rediss://h?ssl_ca_certs={tmp_path}/empty.pem"), CLOCK)
