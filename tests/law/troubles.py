"""What may happen to a Redis beside being frozen or killed, and how it is mended."""

from collections.abc import Callable

from tests.store.redis_server import RedisServer

SLOWLY = {"key-load-delay": "10000", "loading-process-events-interval-bytes": "1024"}

Trouble = Callable[[RedisServer], object]


def replica(server: RedisServer) -> None:
    server.ask("REPLICAOF", "127.0.0.1", 1)


def master(server: RedisServer) -> None:
    server.ask("REPLICAOF", "NO", "ONE")


def full(server: RedisServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory", 1)


def free(server: RedisServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory", 0)


def restarted_slowly(server: RedisServer) -> None:
    """It comes back with so much to read that it answers LOADING for a while."""
    server.ask("DEBUG", "POPULATE", 30, "much", 2000)
    server.ask("SAVE")
    server.kill()
    server.options = {**server.options, **SLOWLY}
    server.start()


def loaded(server: RedisServer) -> None:
    """Wait until it has read everything."""
    while isinstance(server.ask("GET", "much:0"), Exception):
        pass


def rubbish(server: RedisServer) -> None:
    names = server.ask("KEYS", "tg1:*")
    assert isinstance(names, list)
    for name in names:
        server.ask("SET", name, "rubbish")
