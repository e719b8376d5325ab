"""Where the store is, read from one URL; a value without I/O.

    redis://user:password@host:6379/0                    one server; `rediss://` over TLS
    unix:///run/redis/redis.sock?db=0                    one server on a Unix socket
    redis+sentinel://host:26379,other:26379/service/0    the master that sentinels name
    redis+cluster://host:6379,other:6379                 a cluster, found through any of its nodes

`rediss+sentinel` and `rediss+cluster` are the same over TLS. Options are redis-py's, after `?`:
`db`, `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs`, `ssl_check_hostname`, and for
sentinels `sentinel_username` and `sentinel_password`. An option nobody knows is an error: one that
was silently ignored could be the one that asked for verification.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from gateway.catalog import Secret

REDIS_PORT = 6379
SENTINEL_PORT = 26379
NO_SECRET = Secret("")


class Shape(Enum):
    """How the servers are arranged."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


class Place(NamedTuple):
    """A server's address; `port` 0: `host` is the path of a Unix socket."""

    host: str
    port: int

    def __str__(self) -> str:
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Tls(NamedTuple):
    """Files in PEM, empty where the system's certificates and no client certificate will do."""

    ca: str = ""
    certificate: str = ""
    key: str = ""
    verify: bool = True
    hostname: bool = True


@dataclass(frozen=True, slots=True)
class Topology:
    """The servers, how to prove who we are, and which database; `tls` None: in the clear."""

    shape: Shape
    places: tuple[Place, ...]
    user: str = ""
    password: Secret = NO_SECRET
    db: int = 0
    service: str = ""
    sentinel_user: str = ""
    sentinel_password: Secret = NO_SECRET
    tls: Tls | None = None

    def __str__(self) -> str:
        scheme = "rediss" if self.tls is not None else "redis"
        if not self.places[0].port:
            return f"unix://{self.places[0]}?db={self.db}"
        suffix = "" if self.shape is Shape.SINGLE else f"+{self.shape.value}"
        user = f"{self.user}@" if self.user else ""
        where = ",".join(map(str, self.places))
        tail = {
            Shape.SINGLE: f"/{self.db}",
            Shape.SENTINEL: f"/{self.service}/{self.db}",
            Shape.CLUSTER: "",
        }[self.shape]
        return f"{scheme}{suffix}://{user}{where}{tail}"


def topology(url: str) -> Topology:
    """Read a URL.

    Raises:
        ValueError: it is none of the above; the message never holds the URL, which may hold a
            password.
    """
    try:
        parts = urlsplit(url.strip())
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        if "?" in url:
            message = "the options of a Redis URL are name=value, joined by &"
        else:
            message = "the Redis URL cannot be read"
        raise ValueError(message) from None
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    path = unquote(parts.path)
    read = READERS.get(parts.scheme)
    if read is None:
        message = (
            f"a Redis URL begins with one of {', '.join(f'{scheme}://' for scheme in READERS)}"
        )
        raise ValueError(message)
    secure = parts.scheme.startswith("rediss")
    found = replace(
        read(hosts, path, options),
        user=unquote(user),
        password=Secret(unquote(password)),
        tls=_tls(options) if secure else None,
    )
    if options:
        message = f"the Redis URL has an option that means nothing here: {min(options)[:40]}"
        raise ValueError(message)
    return found


def _single(hosts: str, path: str, options: dict[str, str]) -> Topology:
    if "," in hosts:
        message = "several Redis hosts need redis+sentinel:// or redis+cluster://"
        raise ValueError(message)
    return Topology(Shape.SINGLE, _places(hosts, REDIS_PORT), db=_db(path.strip("/"), options))


def _unix(hosts: str, path: str, options: dict[str, str]) -> Topology:
    if hosts or len(path) < 2:
        message = "a Unix socket is named by its path: unix:///run/redis/redis.sock"
        raise ValueError(message)
    return Topology(Shape.SINGLE, (Place(path, 0),), db=_db("", options))


def _sentinel(hosts: str, path: str, options: dict[str, str]) -> Topology:
    service, _, db = path.strip("/").partition("/")
    if not service:
        message = "redis+sentinel:// needs the name of the service: …/service/0"
        raise ValueError(message)
    return Topology(
        Shape.SENTINEL,
        _places(hosts, SENTINEL_PORT),
        db=_db(db, options),
        service=service,
        sentinel_user=options.pop("sentinel_username", ""),
        sentinel_password=Secret(options.pop("sentinel_password", "")),
    )


def _cluster(hosts: str, path: str, options: dict[str, str]) -> Topology:
    if _db(path.strip("/"), options):
        message = "a Redis Cluster has only database 0"
        raise ValueError(message)
    return Topology(Shape.CLUSTER, _places(hosts, REDIS_PORT))


READERS = {
    "redis": _single,
    "rediss": _single,
    "unix": _unix,
    "redis+sentinel": _sentinel,
    "rediss+sentinel": _sentinel,
    "redis+cluster": _cluster,
    "rediss+cluster": _cluster,
}


def _places(hosts: str, port: int) -> tuple[Place, ...]:
    return tuple(_place(one, port) for one in hosts.split(","))


def _place(text: str, port: int) -> Place:
    try:
        parts = urlsplit(f"//{text}")
        return Place(parts.hostname or "localhost", parts.port or port)
    except ValueError:
        message = "a Redis host is written host:port, an IPv6 address in brackets"
        raise ValueError(message) from None


def _db(path: str, options: dict[str, str]) -> int:
    number = options.pop("db", "") or path or "0"
    if not (number.isascii() and number.isdigit()) or len(number) > 4:
        message = "the database of a Redis URL is a number"
        raise ValueError(message)
    return int(number)


def _tls(options: dict[str, str]) -> Tls:
    return Tls(
        ca=options.pop("ssl_ca_certs", ""),
        certificate=options.pop("ssl_certfile", ""),
        key=options.pop("ssl_keyfile", ""),
        verify=_one_of(options, "ssl_cert_reqs", "required", "none"),
        hostname=_one_of(options, "ssl_check_hostname", "true", "false"),
    )


def _one_of(options: dict[str, str], name: str, usual: str, other: str) -> bool:
    said = options.pop(name, usual).lower()
    if said not in {usual, other}:
        message = f"{name} is {usual} or {other}"
        raise ValueError(message)
    return said == usual
