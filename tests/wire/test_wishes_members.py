"""Wishes about the cache, and those that stand in the body, in others' words too."""

from typing import Any

import pytest

from gateway.call import NO_WISHES, CacheWish, Sort, Wishes
from gateway.catalog import Tier
from gateway.errors import InvalidValue
from gateway.wire.wishes import HEADERS, parse
from tests.wire.wishing import wishes_of


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("no-cache", CacheWish(read=False)),
        ("no-store", CacheWish(write=False)),
        ("No-Cache, no-store", CacheWish(read=False, write=False)),
        ("bypass", CacheWish(read=False, write=False)),
        ("off", CacheWish(read=False, write=False)),
        ("on", CacheWish(force=True)),
        ("force", CacheWish(force=True)),
        ("ttl=60", CacheWish(ttl=60.0)),
        ("max-age=0", CacheWish(max_age=0.0)),
        ("force, ttl = 5 ,namespace=Team-1", CacheWish(force=True, ttl=5.0, namespace="Team-1")),
    ],
)
def test_the_cache_header(said: str, wish: CacheWish) -> None:
    assert wishes_of(("x-gateway-cache", said)).cache == wish


@pytest.mark.parametrize(
    "said",
    [
        "",
        ",",
        "maybe",
        "no-cache=1",
        "ttl",
        "ttl=",
        "ttl=-1",
        "ttl=nan",
        "ttl=1e400",
        "ttl=99999999999",
        "max-age=x",
        "namespace=",
        "namespace=a b",
        "namespace=" + "x" * 129,
        "s-maxage=1",
        "public",
    ],
)
def test_a_cache_header_we_do_not_know_is_refused(said: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        wishes_of(("x-gateway-cache", said))

    assert refusal.value.param is not None
    assert refusal.value.param.startswith("x-gateway-cache")


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("no-cache", CacheWish(read=False)),
        ("no-store, max-age=0", CacheWish(write=False, max_age=0.0)),
        ('private, Max-Age="30", no-transform', CacheWish(max_age=30.0)),
        ("max-age=never", CacheWish()),
        ("only-if-cached", CacheWish()),
        ("", CacheWish()),
    ],
)
def test_http_cache_control_is_heard_and_never_refused(said: str, wish: CacheWish) -> None:
    assert wishes_of(("cache-control", said)).cache == wish


@pytest.mark.parametrize(
    ("member", "wish"),
    [
        ({"no-cache": True}, CacheWish(read=False)),
        ({"no-cache": False, "no-store": True}, CacheWish(write=False)),
        ({"ttl": 60, "s-maxage": 30.5}, CacheWish(ttl=60.0, max_age=30.5)),
        ({"s-max-age": 10, "ttl": None}, CacheWish(max_age=10.0)),
        ({"namespace": "team", "use-cache": True}, CacheWish(namespace="team")),
        ({}, CacheWish()),
    ],
)
def test_the_cache_member(member: dict[str, Any], wish: CacheWish) -> None:
    wishes, stripped = parse({}, {"cache": member})

    assert wishes.cache == wish
    assert stripped == {"cache"}


@pytest.mark.parametrize(
    ("document", "param"),
    [
        ({"cache": {"no-cache": "yes"}}, "cache.no-cache"),
        ({"cache": {"no-store": 1}}, "cache.no-store"),
        ({"cache": {"ttl": -1}}, "cache.ttl"),
        ({"cache": {"ttl": True}}, "cache.ttl"),
        ({"cache": {"s-maxage": []}}, "cache.s-maxage"),
        ({"cache": {"ttl": 10**400}}, "cache.ttl"),
        ({"cache": {"namespace": ""}}, "cache.namespace"),
        ({"cache": {"namespace": 7}}, "cache.namespace"),
        ({"models": ["ok", ""]}, "models"),
        ({"models": ["m"] * 33}, "models"),
        ({"provider": {"sort": "fast"}}, "provider.sort"),
        ({"provider": {"sort": 1}}, "provider.sort"),
        ({"provider": {"sort": {"by": "luck"}}}, "provider.sort"),
        ({"provider": {"max_price": 1}}, "provider.max_price"),
        ({"provider": {"max_price": {"prompt": "-1"}}}, "provider.max_price.prompt"),
        ({"provider": {"max_price": {"prompt": "nan"}}}, "provider.max_price.prompt"),
        ({"provider": {"max_price": {"completion": True}}}, "provider.max_price.completion"),
        ({"provider": {"max_price": {"completion": []}}}, "provider.max_price.completion"),
        (
            {"plugins": [{"id": "auto-router", "cost_quality_tradeoff": 11}]},
            "plugins[0].cost_quality_tradeoff",
        ),
        (
            {"plugins": [{"id": "web"}, {"id": "auto-router", "allowed_models": "gpt"}]},
            "plugins[1].allowed_models",
        ),
    ],
)
def test_a_member_with_an_impossible_value_is_named(document: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidValue, match="it must be") as refusal:
        parse({}, document)

    assert refusal.value.param == param


@pytest.mark.parametrize(
    ("document", "wishes"),
    [
        ({"models": ["a/b", "c:d"]}, {"models": ("a/b", "c:d")}),
        ({"models": []}, {}),
        ({"provider": {"sort": "price"}}, {"sort": Sort.FLOOR}),
        ({"provider": {"sort": "throughput"}}, {"sort": Sort.NITRO}),
        ({"provider": {"sort": "latency"}}, {"sort": Sort.NITRO}),
        ({"provider": {"sort": {"by": "price"}}}, {"sort": Sort.FLOOR}),
        ({"provider": {"sort": None, "order": ["x"], "allow_fallbacks": False}}, {}),
        (
            {"provider": {"max_price": {"prompt": "0.1", "completion": 0.4, "image": 1}}},
            {"max_price": (100, 400)},
        ),
        ({"provider": {"max_price": {"prompt": 0.0999}}}, {"max_price": (99, None)}),
        ({"provider": {"max_price": {"completion": 1e-7}}}, {"max_price": (None, 0)}),
        ({"plugins": [{"id": "auto-router", "cost_quality_tradeoff": 7}]}, {"quality": 0.3}),
        ({"plugins": [{"id": "auto-router", "cost_quality_tradeoff": 10}]}, {"quality": 0.0}),
        (
            {"plugins": [{"id": "web"}, {"id": "auto-router", "allowed_models": ["openai/*"]}]},
            {"allowed": ("openai/*",)},
        ),
        ({"plugins": [{"id": "auto-router"}]}, {}),
        (
            {"plugins": [{"id": "auto-router", "enabled": False, "cost_quality_tradeoff": 99}]},
            {},
        ),
    ],
)
def test_openrouters_words(document: dict[str, Any], wishes: dict[str, Any]) -> None:
    found, stripped = parse({}, {"model": "auto", **document})

    assert found == Wishes(**wishes)
    assert stripped == document.keys()


@pytest.mark.parametrize(
    "document",
    [
        {"models": "a"},
        {"models": ["a", 1]},
        {"models": {"a": 1}},
        {"provider": "openai"},
        {"provider": None},
        {"plugins": []},
        {"plugins": [{"id": "web"}, 7]},
        {"plugins": "auto-router"},
        {"cache": True},
        {"cache": None},
    ],
)
def test_a_member_of_another_shape_is_not_ours(document: dict[str, Any]) -> None:
    assert parse({}, document) == (NO_WISHES, frozenset())


def test_headers_win_over_the_body_and_keep_what_they_do_not_mention() -> None:
    wishes = wishes_of(
        ("x-gateway-quality", "0.9"),
        ("cache-control", "no-cache, max-age=9"),
        ("x-gateway-cache", "max-age=5"),
        plugins=[{"id": "auto-router", "cost_quality_tradeoff": 10, "allowed_models": ["m"]}],
        cache={"ttl": 60, "no-store": True},
    )

    assert wishes.quality == 0.9
    assert wishes.allowed == ("m",)
    assert wishes.cache == CacheWish(read=False, write=False, ttl=60.0, max_age=5.0)


def test_an_sdks_own_timeout_does_not_hide_other_wishes() -> None:
    sdk = ("x-stainless-read-timeout", "600")

    assert wishes_of(sdk, models=["m"]) == Wishes(patience=600.0, models=("m",))
    assert wishes_of(sdk, ("x-gateway-tier", "mini")) == Wishes(patience=600.0, tier=Tier.MINI)
    assert parse({b"x-stainless-read-timeout": b"600"}, {"cache": {}}) == (
        Wishes(patience=600.0),
        frozenset(["cache"]),
    )


def test_every_header_that_is_read_is_listed() -> None:
    assert b"x-gateway-tier" in HEADERS
    assert all(name == name.lower() for name in HEADERS)


@pytest.mark.parametrize(
    "name", [b"x-claude-code-session-id", b"session_id", b"x-session-affinity"]
)
def test_an_agents_own_session_names_the_conversation_and_refuses_nothing(name: bytes) -> None:
    assert parse({name: b"abc"}, {})[0].session == "abc"
    assert parse({name: b"abc", b"x-session-id": b"mine"}, {})[0].session == "mine"
    assert parse({name: b"x" * 300}, {})[0].session is None
