"""The figures of a running gateway, as a scraper sees them."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.observe import labels
from gateway.observe.families import FAMILIES
from tests.app.serving import FAST, Served, chat, served
from tests.store.redis_server import RedisServer, redis_server


async def scraped(gateway: Served, accept: str = "") -> dict[str, float]:
    """Every sample of the page, under `name{label=value,…}` with the labels sorted."""
    page = (await gateway.http.get("/metrics", headers={"accept": accept})).text
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            inside = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            found[f"{sample.name}{{{inside}}}" if inside else sample.name] = sample.value
    return found


def named(seen: Mapping[str, float], family: str) -> dict[str, float]:
    """A family's samples by the value of their only label."""
    found = (re.fullmatch(rf"{family}\{{\w+=(.*)\}}", name) for name in seen)
    return {match[1]: seen[match[0]] for match in found if match is not None}


async def test_stages_add_up_to_the_overhead() -> None:
    async with served() as gateway:
        for text in ("Hello!", "Hello!", "Is 7 prime?"):
            await gateway.http.post("/v1/chat/completions", json=chat(text))
        seen = await scraped(gateway)

        stages = named(seen, "gateway_overhead_stage_seconds_total")
        assert set(stages) == set(labels.STAGES)
        assert sum(stages.values()) == pytest.approx(seen["gateway_overhead_seconds_sum"])
        assert all(stages[name] > 0 for name in ("read", "remember", "assess", "choose", "send"))


async def test_the_loop_and_the_configuration_tell_of_themselves() -> None:
    async with served() as gateway, served({**FAST, "GATEWAY_ROUTING_QUALITY": "0.1"}) as other:
        ours, theirs = await scraped(gateway), await scraped(other)

        assert 0 <= ours["gateway_loop_lag_seconds"] < 5
        assert set(named(ours, "gateway_config_info")) != set(named(theirs, "gateway_config_info"))
        assert not [name for name in ours if name.startswith("gateway_store_")]


async def test_a_data_directory_is_a_store(tmp_path: Path) -> None:
    async with served({**FAST, "GATEWAY_STORE_DATA": str(tmp_path / "data")}) as gateway:
        seen = await scraped(gateway)

        assert seen["gateway_store_up{store=disk}"] == 1
        assert seen["gateway_store_errors_total{error=disk,store=disk}"] == 0
        assert set(named(seen, "gateway_queue_length")) == set(labels.QUEUES) - {"traces"}


async def test_a_redis_is_seen_to_serve_and_to_die() -> None:
    with redis_server() as server:
        async with served({**FAST, "GATEWAY_REDIS_URL": server.url}) as gateway:
            for _ in range(2):
                await gateway.http.post("/v1/chat/completions", json=chat("Hello!"))
            alive = await scraped(gateway)
            dead = await without(server, gateway)

    layers = named(alive, "gateway_shared_cache_total")
    assert set(layers) == set(labels.SHARED_CACHE)
    assert (layers["near"], layers["miss"], layers["put"]) == (1, 1, 1)
    assert alive["gateway_store_up{store=redis}"] == 1
    assert alive["gateway_store_commands_total{store=redis}"] > 2
    assert alive["gateway_store_probe_seconds{store=redis}"] >= 0
    assert dead["gateway_store_up{store=redis}"] == 0
    errors = {name for name, n in dead.items() if n and name.startswith("gateway_store_errors")}
    told = {re.sub(r".*error=(\w+).*", r"\1", name) for name in errors}
    assert told
    assert told <= set(labels.STORE_ERRORS)


async def without(server: RedisServer, gateway: Served) -> dict[str, float]:
    """The page once the gateway has noticed that its Redis is gone."""
    server.kill()
    for number in range(4):
        await gateway.http.post("/v1/chat/completions", json=chat(f"Hello {number}!"))
    # A page is served for a second; each format has its own.
    return await scraped(gateway, "application/openmetrics-text")


async def test_a_running_gateway_shows_nothing_that_is_not_declared() -> None:
    async with served() as gateway:
        await gateway.http.post("/v1/chat/completions", json=chat("Hello!", stream=True))
        page = (await gateway.http.get("/metrics")).text

    shown = {family.name for family in text_string_to_metric_families(page)}
    ours = {name for name in shown if name.startswith(("gateway_", "gen_ai_"))}
    assert ours <= {family.name.removesuffix("_total") for family in FAMILIES}
    assert shown - ours <= {name for name in shown if name.startswith(("process_", "python_"))}
