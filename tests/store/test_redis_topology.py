"""URLs, read as values."""

import pytest

from gateway.catalog import Secret
from gateway.store.redis.topology import Place, Shape, Tls, Topology, topology

HERE = (Place("h", 6379),)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h", Topology(Shape.SINGLE, HERE)),
        (" redis://h:7000/2\n", Topology(Shape.SINGLE, (Place("h", 7000),), db=2)),
        ("redis://h?db=3", Topology(Shape.SINGLE, HERE, db=3)),
        ("redis://", Topology(Shape.SINGLE, (Place("localhost", 6379),))),
        ("redis://[::1]:7000", Topology(Shape.SINGLE, (Place("::1", 7000),))),
        (
            "redis://us%40er:p%2F%3A@h",
            Topology(Shape.SINGLE, HERE, user="us@er", password=Secret("p/:")),
        ),
        ("redis://:p@h", Topology(Shape.SINGLE, HERE, password=Secret("p"))),
        ("rediss://h", Topology(Shape.SINGLE, HERE, tls=Tls())),
        (
            "rediss://h?ssl_ca_certs=/ca.pem&ssl_certfile=/c.pem&ssl_keyfile=/k.pem",
            Topology(Shape.SINGLE, HERE, tls=Tls("/ca.pem", "/c.pem", "/k.pem")),
        ),
        (
            "rediss://h?ssl_cert_reqs=none&ssl_check_hostname=False",
            Topology(Shape.SINGLE, HERE, tls=Tls(verify=False, hostname=False)),
        ),
        ("unix:///run/r.sock?db=1", Topology(Shape.SINGLE, (Place("/run/r.sock", 0),), db=1)),
        (
            "unix://u:p@/run/r.sock",
            Topology(Shape.SINGLE, (Place("/run/r.sock", 0),), user="u", password=Secret("p")),
        ),
        (
            "redis+sentinel://u:p@a,b:7000/main/2?sentinel_username=s&sentinel_password=q",
            Topology(
                Shape.SENTINEL,
                (Place("a", 26379), Place("b", 7000)),
                user="u",
                password=Secret("p"),
                db=2,
                service="main",
                sentinel_user="s",
                sentinel_password=Secret("q"),
            ),
        ),
        (
            "rediss+cluster://a,b:7000",
            Topology(Shape.CLUSTER, (Place("a", 6379), Place("b", 7000)), tls=Tls()),
        ),
        ("redis+cluster://a/0", Topology(Shape.CLUSTER, (Place("a", 6379),))),
    ],
)
def test_a_url_says_where_the_store_is(url: str, expected: Topology) -> None:
    assert topology(url) == expected


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("", "begins with one of redis://, rediss://"),
        ("http://secret@h", "begins with one of"),
        ("redis://secret@h/x", "database"),
        ("redis://secret@h/-1", "database"),
        ("redis://secret@h/99999", "database"),
        ("redis://secret@h/٣", "database"),
        ("redis://secret@a,b", "redis+sentinel:// or redis+cluster://"),
        ("redis://secret@h:port", "host:port"),
        ("redis://secret@h:70000", "host:port"),
        ("redis://secret@[::1", "cannot be read"),
        ("redis://:secret@h?ssl_ca_certs=x", "option that means nothing here: ssl_ca_certs"),
        ("redis://:secret@h?timeout=5", "option that means nothing here: timeout"),
        ("redis://:secret@h?nothing", "name=value"),
        ("rediss://:secret@h?ssl_cert_reqs=optional", "ssl_cert_reqs is required or none"),
        ("unix://secret", "path"),
        ("unix://secret@host/run/r.sock", "path"),
        ("redis+sentinel://secret@h", "service"),
        ("redis+cluster://secret@h/1", "database 0"),
    ],
)
def test_what_makes_no_sense_is_refused_without_its_secrets(url: str, hint: str) -> None:
    with pytest.raises(ValueError, match=r"Redis|ssl|Unix|redis") as refused:
        topology(url)

    assert hint in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://u:p@h:7000/2", "redis://u@h:7000/2"),
        ("rediss://:p@[::1]", "rediss://[::1]:6379/0"),
        ("unix://u:p@/run/r.sock", "unix:///run/r.sock?db=0"),
        ("redis+sentinel://u:p@a,b/main", "redis+sentinel://u@a:26379,b:26379/main/0"),
        ("redis+cluster://:p@a", "redis+cluster://a:6379"),
    ],
)
def test_a_topology_tells_everything_but_its_password(url: str, told: str) -> None:
    assert str(topology(url)) == told
    assert "'p'" not in repr(topology(url))
