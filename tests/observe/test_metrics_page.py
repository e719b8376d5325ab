"""The page of metrics: what is on it, in which format, and how often it is made."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from gateway.catalog import Catalog, Tier
from gateway.ended import Attempted
from gateway.observe.families import FAMILIES, Kind
from gateway.observe.metrics import FRESH, OPENMETRICS, TEXT, Metrics, media_type
from gateway.spans import Trace
from tests.observe.counting import fresh_metrics
from tests.observe.events import EVERYTHING, Foreseen, HandClock, a_catalog, an_ended, samples


def test_every_declared_family_is_on_the_page_with_its_declared_type_and_labels() -> None:
    moved = a_catalog()
    (nano,) = moved.tiers[Tier.NANO]
    after = replace(nano, instead_of="gpt-4-nano")
    metrics = fresh_metrics(EVERYTHING, Catalog({**moved.tiers, Tier.NANO: (after,)}))
    metrics.attempted(Attempted("nano-1", "upstream_broken", 0.1))
    for outcome in ("ok", "upstream_timeout"):
        metrics.ended(
            an_ended(stream=True, ttft=0.1, outcome=outcome, expected=Foreseen(), in_time=True)
        )
    metrics.ended(an_ended(area="files"))
    families = {f.name: f for f in text_string_to_metric_families(metrics.render().decode())}

    for declared in FAMILIES:
        found = families[declared.name.removesuffix("_total")]
        labels = {label for sample in found.samples for label in sample.labels} - {"le"}
        kind = "gauge" if declared.kind is Kind.INFO else declared.kind.value
        assert (found.type, found.documentation) == (kind, declared.help)
        assert labels == set(declared.labels), declared.name


def test_the_process_tells_of_itself() -> None:
    seen = samples(fresh_metrics())

    assert seen["process_resident_memory_bytes"] > 1_000_000
    assert seen["python_gc_collections_total{generation=0}"] >= 0
    assert any(name.startswith("python_info") for name in seen)


def test_the_page_is_made_once_a_second_in_each_format() -> None:
    clock = HandClock()
    metrics = Metrics(a_catalog(), clock)
    first = metrics.render()
    metrics.ended(an_ended())

    clock.seconds += FRESH * 0.99
    same = metrics.render()
    clock.seconds += FRESH * 0.01
    later = metrics.render()

    assert same is first
    assert b'gateway_requests_total{outcome="ok"' in later


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2", OPENMETRICS),
    ],
)
def test_the_format_is_the_one_the_scraper_asked_for(accept: str, expected: str) -> None:
    assert media_type(accept) == expected


def test_openmetrics_is_the_real_thing() -> None:
    metrics = fresh_metrics(EVERYTHING)
    metrics.attempted(Attempted("nano-1", "ok", 0.1))
    metrics.ended(an_ended(stream=True, ttft=0.1))

    page = metrics.render("application/openmetrics-text; version=1.0.0").decode()
    families = openmetrics_families(page)  # type: ignore[no-untyped-call]  # the library's

    assert page.endswith("# EOF\n")
    assert {family.name for family in families} >= {
        declared.name.removesuffix("_total").removesuffix("_info") for declared in FAMILIES
    }


def test_pages_made_in_a_thread_while_calls_end_add_up() -> None:
    metrics = fresh_metrics()
    pages: list[bytes] = []

    def scrape() -> None:
        for form in (TEXT, OPENMETRICS) * 5:
            metrics._pages.clear()
            pages.append(metrics.render(form))

    scraper = threading.Thread(target=scrape)
    scraper.start()
    calls = 0
    while scraper.is_alive() or not calls:
        for tier in Tier:
            metrics.ended(an_ended(tier=tier, response_model=f"m-{calls}", outcome=f"{calls % 7}"))
            calls += 1
    scraper.join()

    assert len(pages) == 10
    for page in pages[::2]:
        for family in text_string_to_metric_families(page.decode()):
            check_buckets_grow(family.samples)


def check_buckets_grow(found: Sequence[Sample]) -> None:
    last: dict[tuple[tuple[str, str], ...], float] = {}
    for sample in found:
        name, labels, value = sample[:3]
        if name.endswith("_bucket"):
            key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
            assert value >= last.get(key, 0)
            last[key] = value


def test_a_traced_call_is_an_example_of_its_buckets_in_openmetrics_only() -> None:
    metrics = fresh_metrics()
    traced = an_ended(stream=True, ttft=0.1, seconds=0.5, trace=Trace("ab" * 16, "cd" * 8))
    for ended in (traced, an_ended(seconds=0.6)):
        metrics.ended(ended)
        metrics.exemplify(ended)

    page = metrics.render(OPENMETRICS).decode()

    shown = {
        sample.name: (sample.exemplar.labels["trace_id"], sample.exemplar.value)
        for family in openmetrics_families(page)  # type: ignore[no-untyped-call]  # the library's
        for sample in family.samples
        if sample.exemplar is not None
    }
    assert shown["gateway_request_seconds_bucket"] == ("ab" * 16, 0.5)
    assert shown["gateway_ttft_seconds_bucket"] == ("ab" * 16, 0.1)
    assert "gateway_overhead_seconds_bucket" in shown
    assert "trace_id" not in metrics.render(TEXT).decode()
