"""The latest decisions over the admin API: in pages, one by one, and as they come."""

import asyncio
from typing import Any

import orjson
import pytest

from gateway.call import NO_WISHES
from gateway.catalog import Tier
from gateway.flow.decisions import Decision
from gateway.http.admin_decisions import MOST_AT_A_TIME, MOST_WATCHERS, TURNS_OF_SILENCE
from gateway.principal import Principal
from tests.http.edge import asking, edge, get, post
from tests.http.office import Office, error
from tests.observe.events import an_ended


@pytest.fixture
def anyio_backend() -> str:
    """Nothing here depends on the loop."""
    return "asyncio"


def add(office: Office, *numbers: int, **changes: Any) -> None:
    for number in numbers:
        ended = an_ended(id=f"req_{number}", **changes)
        office.decisions.add(Decision(ended, 0.0, "chat", "", Principal(), NO_WISHES, None, None))


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream, without its comments."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if fields:
            found.append((fields["event"], orjson.loads(fields["data"])))
    return found


async def ids(office: Office, query: str) -> tuple[list[str], bool]:
    answer = await office.ask("GET", f"/decisions{query}")
    assert answer.status_code == 200
    document = answer.json()
    assert document["object"] == "list"
    return [row["id"] for row in document["data"]], document["has_more"]


async def test_decisions_are_listed_newest_first_in_pages() -> None:
    office = Office()
    add(office, 1, 2, 3, 4, 5)

    assert await ids(office, "?limit=2") == (["req_5", "req_4"], True)
    assert await ids(office, "?limit=2&before=req_4") == (["req_3", "req_2"], True)
    assert await ids(office, "?limit=2&before=req_2") == (["req_1"], False)
    assert await ids(office, "?before=req_0") == ([], False)


async def test_decisions_can_be_asked_for_by_tier_and_by_reason() -> None:
    office = Office()
    add(office, 1, tier=Tier.NANO, reason="adequate")
    add(office, 2, tier=Tier.FULL, reason="quality")
    add(office, 3, tier=Tier.FULL, reason="sticky")
    add(office, 4, tier=None, reason="none")

    assert await ids(office, "?tier=full") == (["req_3", "req_2"], False)
    assert await ids(office, "?tier=full&limit=1") == (["req_3"], True)
    assert await ids(office, "?reason=adequate") == (["req_1"], False)
    assert await ids(office, "?reason=quality&tier=nano") == ([], False)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "tier=huge", f"before={'x' * 65}"])
async def test_what_cannot_be_asked_for_is_refused_by_name(query: str) -> None:
    answer = await Office().ask("GET", f"/decisions?{query}")

    assert answer.status_code == 422
    assert error(answer)["param"] == query.partition("=")[0]


async def test_one_decision_is_found_by_its_calls_id() -> None:
    office = Office()
    add(office, 7)

    found = await office.ask("GET", "/decisions/req_7")
    missing = await office.ask("GET", "/decisions/req_8")

    assert (found.json()["id"], found.json()["object"]) == ("req_7", "decision")
    assert missing.status_code == 404
    assert "no longer kept" in error(missing)["message"]


async def test_who_watches_is_sent_every_call_that_ends_from_then_on() -> None:
    office = Office(looks=3)
    office.while_pausing = lambda look: add(office, look) if look < 4 else None
    add(office, 0)

    answer = await office.ask("GET", "/decisions/stream")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith(": nothing new\n\n")
    assert [(name, row["id"]) for name, row in events(answer.text)] == [
        ("decision", "req_1"),
        ("decision", "req_2"),
        ("decision", "req_3"),
    ]
    assert office.watching.watchers == 0


async def test_who_watches_too_many_calls_is_told_how_many_were_missed() -> None:
    office = Office(looks=1)
    office.while_pausing = lambda look: add(office, *range(100)) if look == 1 else None

    found = events((await office.ask("GET", "/decisions/stream")).text)

    assert found[0] == ("missed", {"missed": 80})
    assert len(found) == 21
    assert MOST_AT_A_TIME > 20


async def test_a_silent_watch_is_kept_open_by_comments() -> None:
    office = Office(looks=2 * TURNS_OF_SILENCE)

    answer = await office.ask("GET", "/decisions/stream")

    assert answer.text == ": nothing new\n\n" * 3


async def test_what_was_spelled_for_one_watcher_serves_the_next_and_is_forgotten_in_time() -> None:
    office = Office(looks=60)
    office.while_pausing = lambda look: add(office, *range(look * 10, look * 10 + 10))

    await office.ask("GET", "/decisions/stream")
    office.pauses.clear()
    await office.ask("GET", "/decisions/stream")

    assert len(office.watching.spelled) == 256


async def test_too_many_watchers_are_turned_away() -> None:
    office = Office()
    office.watching.watchers = MOST_WATCHERS

    answer = await office.ask("GET", "/decisions/stream")

    assert answer.status_code == 503
    assert error(answer)["code"] == "gateway_overloaded"


async def test_a_burst_of_watchers_does_not_pass_the_bound() -> None:
    office = Office(looks=10 * MOST_WATCHERS)

    async with asyncio.TaskGroup() as group:
        asked = [
            group.create_task(office.ask("GET", "/decisions/stream"))
            for _ in range(MOST_WATCHERS + 6)
        ]

    assert sorted(task.result().status_code for task in asked) == [200] * MOST_WATCHERS + [503] * 6
    assert office.watching.watchers == 0


async def test_a_call_over_a_socket_leaves_its_decision_under_the_id_in_its_head() -> None:
    async with edge() as gateway:
        said = await gateway.ask(post(asking()))
        await gateway.recorder.after(1)

        kept = gateway.flow.decisions.find(said.headers["x-gateway-decision-id"])

    assert kept is not None
    assert (kept.api, kept.ended.status) == ("chat", 200)


async def test_without_an_admin_api_there_are_no_decisions_to_see() -> None:
    async with edge() as gateway:
        said = await gateway.ask(get("/admin/v1/decisions"))

    assert said.status == 404
