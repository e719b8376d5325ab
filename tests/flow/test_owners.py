"""What one tenant has stored upstream is not there for another, whatever it is asked for by."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import GatewayError, InvalidValue, ObjectNotFound, PermissionDenied
from gateway.flow.owners import Owner, Owners, digest
from gateway.flow.passage import PassRules
from gateway.principal import ANYONE, Principal
from gateway.wire.stored import carries
from tests.flow.passages import EMBEDDER, Place, reply
from tests.flow.replies import body, whole
from tests.flow.scenes import World, make_world

ALICE = Principal(key="a", tenant="key:a")
BOB = Principal(key="b", tenant="key:b")
FILE = "file-abcdef"


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", f"/files/{FILE}", None),
        ("GET", f"/files/{FILE}/content", None),
        ("DELETE", f"/files/{FILE}", None),
        ("DELETE", "/files/file%3Aabcdef", None),
        ("POST", "/batches", {"input_file_id": FILE}),
        ("POST", "/vector_stores/vs_bobs_own/files", {"file_id": FILE}),
        ("GET", f"/vector_stores/vs_bobs_own/files/{FILE}1", None),
        ("POST", "/vector_stores", {"file_ids": ["file-bobs", FILE]}),
        ("POST", "/threads", {"messages": [{"attachments": [{"file_id": FILE}]}]}),
        ("POST", "/evals/e/runs", {"data_source": {"source": {"type": "file_id", "id": FILE}}}),
        ("POST", "/responses/compact", {"input": [{"type": "item_reference", "id": FILE}]}),
        ("POST", "/responses/compact", {"container": {"id": FILE}}),
        ("GET", f"/things/vs_bobs_own?call_id={FILE}", None),
        ("POST", "/things", {"some_new_id": FILE}),
        ("POST", "/audio/voices", {"consent": FILE}),
        ("POST", "/videos/edits", {"video": {"id": FILE}}),
        ("POST", "/images/edits", {"images": [{"file_id": FILE}]}),
        ("POST", "/fine_tuning/jobs", {"training_file": FILE}),
        ("POST", "/responses/compact", {"prompt": {"variables": {"x": {"file_id": FILE}}}}),
        ("POST", "/responses/compact", {"tools": [{"container": {"file_ids": [FILE]}}]}),
        ("POST", "/completions", {"model": "ft:acme", "prompt": "Hi"}),
    ],
)
@pytest.mark.parametrize("unknown", [True, False])
async def test_what_another_made_is_not_there(
    method: str, path: str, said: dict[str, Any] | None, unknown: bool
) -> None:
    place = Place(rules=PassRules(unknown=unknown))
    for name in (FILE, "file:abcdef", f"{FILE}1", "ft:acme"):
        await place.made(name, ALICE.tenant)
    for name in ("vs_bobs_own", "file-bobs", "e"):
        await place.made(name, BOB.tenant)

    with pytest.raises(ObjectNotFound):
        await place.ask(path, said, method=method, principal=BOB)

    assert place.upstream.requests == []
    assert place.recorder.calls[0].outcome == "caller_object_not_found"


async def test_what_a_key_made_is_its_own() -> None:
    place = Place(reply(b'{"id":"file-abcdef","file":{"id":"file-inner"}}'))

    await place.ask("/uploads", {}, principal=ALICE)
    for name in (FILE, "file-inner"):
        await place.ask(f"/files/{name}", method="DELETE", principal=ALICE)
        with pytest.raises(ObjectNotFound):
            await place.ask(f"/files/{name}", method="DELETE", principal=BOB)
        with pytest.raises(ObjectNotFound):
            await place.ask(f"/files/{name}", method="GET", principal=ANYONE)


async def test_what_a_batch_led_to_is_whose_the_batch_is() -> None:
    place = Place(reply(b'{"id":"batch_1","output_file_id":"file-out","result_files":["file-r"]}'))
    await place.made("batch_1", ALICE.tenant)

    await place.ask("/batches/batch_1", method="GET", principal=ALICE)

    for name in ("file-out", "file-r"):
        await place.ask(f"/files/{name}/content", method="GET", principal=ALICE)
        with pytest.raises(ObjectNotFound):
            await place.ask(f"/files/{name}/content", method="GET", principal=BOB)


async def test_a_reply_that_names_what_another_made_takes_nothing_away() -> None:
    place = Place(reply(b'{"id":"file-abcdef"}'))
    await place.made(FILE, ALICE.tenant)

    await place.ask("/files", {}, principal=BOB)

    with pytest.raises(ObjectNotFound):
        await place.ask(f"/files/{FILE}", method="GET", principal=BOB)


@pytest.mark.parametrize(
    ("method", "path", "said", "error"),
    [
        ("GET", "/files/file-x", None, ObjectNotFound),
        ("DELETE", "/models/ft:gpt-4.1:acme", None, ObjectNotFound),
        ("GET", "/files/" + "x" * 300, None, ObjectNotFound),
        ("POST", "/batches", {"input_file_id": "file-x"}, ObjectNotFound),
        ("GET", "/things", None, PermissionDenied),
        ("GET", "/chat/completions/", None, PermissionDenied),
        ("DELETE", "/conversations", None, PermissionDenied),
        ("POST", "/evals", {"data_source_config": {"type": "logs"}}, PermissionDenied),
    ],
)
async def test_what_nobody_is_known_to_have_made_is_for_whoever_has_no_key(
    method: str, path: str, said: dict[str, Any] | None, error: type[GatewayError]
) -> None:
    place = Place(rules=PassRules())

    with pytest.raises(error):
        await place.ask(path, said, method=method, principal=ALICE)

    assert await place.ask(path, said, method=method)
    opened = Place(rules=PassRules(unknown=True))
    assert await opened.ask(path, said, method=method, principal=ALICE)


async def test_what_was_made_without_a_key_is_nobodys() -> None:
    place = Place()
    await place.made(FILE, "")

    assert await place.ask(f"/files/{FILE}", method="GET")
    with pytest.raises(ObjectNotFound):
        await place.ask(f"/files/{FILE}", method="GET", principal=ALICE)


async def test_a_tunnel_whose_messages_may_refer_to_anything_is_not_for_a_key() -> None:
    place = Place()

    with pytest.raises(PermissionDenied, match=r"passthrough\.unknown"):
        await place.ask("/responses", method="GET", upgrade="websocket", principal=ALICE)
    assert await place.ask("/realtime", method="GET", upgrade="websocket", principal=ALICE)


@pytest.mark.parametrize("path", ["/embeddings", "/moderations"])
async def test_what_cannot_be_asked_for_again_is_not_remembered(path: str) -> None:
    place = Place(reply(b'{"id":"modr-1","usage":{}}'))

    await place.ask(path, {"model": EMBEDDER, "input": "x"}, principal=ALICE)

    assert await Owners(place.flow.parts.affinities).of(["modr-1"]) == [None]


# ── routed calls ─────────────────────────────────────────────────────────────


def place_of() -> World:
    return make_world(lambda _: whole(body(id="chatcmpl-mine")))


@pytest.mark.parametrize(
    "said",
    [
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": FILE}}]}]},
        {"tools": [{"type": "file_search", "vector_store_ids": [FILE]}]},
    ],
)
async def test_a_chat_refers_to_no_file_of_another(said: dict[str, Any]) -> None:
    place = place_of()
    owners = Owners(place.flow.parts.affinities)
    await owners.made(FILE, Owner(digest(ALICE.tenant), "gpt-4.1"), 60.0)

    others = await place.ask(tenant=BOB.tenant, **said)
    own = await place.ask(tenant=ALICE.tenant, **said)

    assert isinstance(others.error, ObjectNotFound)
    assert own.error is None


async def test_a_stored_chat_is_whose_call_it_was() -> None:
    place = place_of()

    await place.ask(tenant=ALICE.tenant, store=True)
    await place.ask(tenant=BOB.tenant)

    (owner,) = await Owners(place.flow.parts.affinities).of(["chatcmpl-mine"])
    assert owner is not None
    assert owner.tenant == digest(ALICE.tenant)


async def test_a_body_that_refers_twice_in_one_place_is_refused() -> None:
    place = place_of()
    call = place.call(tenant=BOB.tenant, tools=[{"type": "file_search"}])
    call = replace(call, body=b'{"model":"auto","x":{"file_id":"a","file_id":"b"}}')

    asked = await place.client(call).serve()

    assert isinstance(asked.error, InvalidValue)


@pytest.mark.parametrize(
    ("said", "refers"),
    [
        ({}, False),
        ({"messages": 3, "tools": 3}, False),
        ({"messages": [3, {"content": "a file_id"}, {"content": ["x"]}]}, False),
        ({"messages": [{"content": [{"type": "text", "text": "x"}]}]}, False),
        ({"messages": [{"content": [{"type": "text", "file": {}}]}]}, True),
        ({"messages": [{"content": [{"type": 3}]}]}, True),
        ({"tools": [{"type": "function"}]}, False),
        ({"tools": [{"type": "code_interpreter"}]}, True),
    ],
)
def test_a_chat_of_words_needs_no_second_look(said: dict[str, Any], refers: bool) -> None:
    assert carries(said) is refers
