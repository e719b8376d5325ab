"""Error replies: what of them passes on, what is replaced, and how long they ask to wait."""

import gzip

import orjson
import pytest

from gateway.catalog import Catalog, Deployment, Secret, Tier
from gateway.flow.attempts import LONGEST_PAUSE_SECONDS
from gateway.flow.opening import retry_after
from tests.fakes import JSON_HEAD, NANO, FakeReply, catalog, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import error, in_turn, stream, whole
from tests.flow.scenes import Client

ONLY_NANO = catalog({Tier.NANO: NANO})
LIMITS = ((b"x-ratelimit-remaining-requests", b"0"), (b"retry-after", b"7"))
DATE = (b"date", b"Tue, 24 Nov 2026 06:00:00 GMT")
AN_HOUR_LATER = (b"retry-after", b"Tue, 24 Nov 2026 07:00:00 GMT")


def said(client: Client) -> dict[str, str]:
    document: dict[str, dict[str, str]] = orjson.loads(client.body)
    return document["error"]


@pytest.mark.parametrize("streaming", [False, True])
async def test_an_error_reply_passes_byte_for_byte(world: MakeWorld, streaming: bool) -> None:
    sent = b'{ "error": {"message":"caf\\u00e9","type":"x", "code":null,"param":"n"},"more":1 }\n'
    kept = ((b"x-request-id", b"up_1"), (b"x-should-retry", b"false"), (b"set-cookie", b"a=b"))
    place = world(in_turn(FakeReply(422, JSON_HEAD + kept, (sent[:9], sent[9:]))))

    client = await place.ask(stream=streaming)

    assert (client.answer.status, client.answer.stream, client.body) == (422, False, sent)
    assert client.answer.headers == (*JSON_HEAD, *kept[:2])


async def test_a_compressed_error_is_passed_on_plain(world: MakeWorld) -> None:
    plain = b'{"error":{"message":"no"}}'
    head = (*JSON_HEAD, (b"content-encoding", b"gzip"))
    place = world(in_turn(FakeReply(400, head, (gzip.compress(plain),))))

    client = await place.ask()

    assert (client.answer.headers, client.body) == (JSON_HEAD, plain)


@pytest.mark.parametrize(
    ("status", "shown"), [(400, 502), (404, 502), (429, 429), (500, 500), (503, 503)]
)
@pytest.mark.parametrize("text", [b"<html>sk-secret</html>", b"", b"[]", b'{"error":"sk-secret"}'])
async def test_what_is_no_openai_error_is_replaced_by_one(
    world: MakeWorld, status: int, shown: int, text: bytes
) -> None:
    head = ((b"content-type", b"text/html"), (b"content-language", b"en"), (b"x-request-id", b"up"))
    place = world(in_turn(FakeReply(status, head, (text,))), where=ONLY_NANO)

    client = await place.ask()

    assert client.answer.status == shown
    assert client.answer.headers == ((b"x-request-id", b"up"), *JSON_HEAD)
    assert said(client) == {
        "message": f"The upstream answered {status} with nothing we can pass on.",
        "type": "upstream_error",
        "param": None,
        "code": "upstream_broken",
    }
    assert place.ended(client).status == shown


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_the_upstream_refuses_is_no_word_to_the_caller(
    world: MakeWorld, status: int
) -> None:
    secret = error(status, "invalid_api_key", message="Incorrect API key sk-upstream-secret")
    place = world(in_turn(secret), where=ONLY_NANO)

    client = await place.ask()

    assert client.answer.status == 502
    assert said(client)["message"] == "The upstream does not accept the gateway's credentials."
    assert b"sk-" not in client.body
    assert place.outcomes() == ["upstream_auth"]
    assert place.ended(client).outcome == "upstream_auth"


async def test_a_refused_key_rests_for_a_minute(world: MakeWorld) -> None:
    place = world(in_turn(error(401), whole(), whole(), whole()), where=catalog(spares=1))
    spare = f"{NANO.name}-spare0"

    await place.ask()
    await place.ask(text="meanwhile")
    place.clock.at += 59.9
    await place.ask(text="at the end of it")

    assert place.upstream.tried() == [NANO.name, spare, spare, spare]
    assert place.flow.health.resting(place.clock.now()) == [NANO.name]


async def test_the_gateways_key_is_struck_from_error_texts(world: MakeWorld) -> None:
    place = world(in_turn(error(400, message="sk-upstream-secret is no sk-upstream-secret")))

    client = await place.ask()

    assert said(client)["message"] == "*** is no ***"


async def test_a_deployment_without_a_key_has_none_to_strike(world: MakeWorld) -> None:
    keyless = Deployment("local", NANO, "http://127.0.0.1:9/v1", Secret(""))
    where = Catalog({Tier.NANO: (keyless,)})
    place = world(in_turn(error(400, message="No.")), where=where)

    client = await place.ask()

    assert said(client)["message"] == "No."


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ((), None),
        (((b"retry-after", b"2"),), 2.0),
        (((b"retry-after", b"0.25"),), 0.25),
        (((b"retry-after-ms", b"1500"), (b"retry-after", b"2")), 1.5),
        (((b"retry-after-ms", b"soon"), (b"retry-after", b"2")), 2.0),
        ((DATE, AN_HOUR_LATER), 3600.0),
        (((b"date", b"Tue, 24 Nov 2026 08:00:00 GMT"), AN_HOUR_LATER), 0.0),
        ((AN_HOUR_LATER,), None),
        (((b"retry-after", b"-1"),), None),
        (((b"retry-after", b"nan"),), None),
        (((b"retry-after", b"1e300"),), None),
        ((DATE, (b"retry-after", b"tomorrow")), None),
        ((DATE, (b"retry-after", b"Tue, 24 Nov 2026 07:00:00 -0000")), None),
        ((DATE, (b"retry-after", b"\xff")), None),
    ],
)
def test_waiting_is_asked_for_in_several_spellings(
    fields: tuple[tuple[bytes, bytes], ...], seconds: float | None
) -> None:
    assert retry_after(fields) == seconds


@pytest.mark.parametrize(
    "fields",
    [
        ((b"retry-after", b"2"),),
        ((b"retry-after-ms", b"2000"),),
        (DATE, (b"retry-after", b"Tue, 24 Nov 2026 06:00:02 GMT")),
    ],
)
@pytest.mark.parametrize("streaming", [False, True])
async def test_a_short_wait_is_waited_and_then_the_same_deployment_asked_again(
    world: MakeWorld, fields: tuple[tuple[bytes, bytes], ...], streaming: bool
) -> None:
    good = stream() if streaming else whole()
    place = world(in_turn(error(429, headers=fields), good), where=ONLY_NANO)

    client = await place.ask(stream=streaming)

    assert client.answer.status == 200
    assert place.pauses == [2.0]
    assert place.upstream.tried() == [NANO.name, NANO.name]
    ended = place.ended(client)
    assert (ended.attempts, ended.overhead, ended.seconds) == (2, 0.0, 2.0)


async def test_a_second_failure_after_the_wait_is_final(world: MakeWorld) -> None:
    first = error(429, headers=((b"retry-after", b"1"),))
    place = world(in_turn(first, error(429, headers=LIMITS)), where=ONLY_NANO)

    client = await place.ask()

    assert client.answer.status == 429
    assert client.answer.headers == (*JSON_HEAD, *LIMITS)
    assert place.pauses == [1.0]


@pytest.mark.parametrize(
    ("code", "fields", "wished"),
    [
        (None, (), {}),
        (None, ((b"retry-after", b"%d" % (LONGEST_PAUSE_SECONDS + 1)),), {}),
        ("insufficient_quota", ((b"retry-after", b"1"),), {}),
        (None, ((b"retry-after", b"4"),), {"deadline": 4.0}),
        (None, ((b"retry-after", b"4"),), {"patience": 3.9}),
        (None, ((b"retry-after", b"4"),), {"ttft": 2.0}),
    ],
)
async def test_a_wait_that_does_not_fit_is_left_to_the_caller(
    world: MakeWorld,
    code: str | None,
    fields: tuple[tuple[bytes, bytes], ...],
    wished: dict[str, float],
) -> None:
    refusal = error(429, code, message="Slow down", headers=fields)
    place = world(in_turn(refusal), where=ONLY_NANO)

    client = await place.ask(said=wishes(**wished))

    assert client.answer.status == 429
    assert said(client)["message"] == "Slow down"
    assert client.answer.headers == (*JSON_HEAD, *fields)
    assert (place.pauses, place.outcomes()) == ([], ["upstream_rate_limited"])


async def test_a_rate_limited_deployment_rests_as_long_as_it_asked(world: MakeWorld) -> None:
    place = world(in_turn(error(429, headers=LIMITS), whole(), whole(), whole()))

    await place.ask()
    await place.ask(text="meanwhile")
    place.clock.at += 7
    await place.ask(text="later")

    assert place.upstream.tried() == [NANO.name, "gpt-4.1-mini", "gpt-4.1-mini", NANO.name]


async def test_no_deployment_rests_longer_than_a_minute(world: MakeWorld) -> None:
    place = world(in_turn(error(429, headers=(DATE, AN_HOUR_LATER)), whole(), whole()))

    await place.ask()
    place.clock.at += 60
    await place.ask(text="later")

    assert place.upstream.tried()[-1] == NANO.name


async def test_a_caller_that_named_the_model_gets_the_upstreams_own_answer_all_the_same(
    world: MakeWorld,
) -> None:
    place = world(lambda _: error(429, headers=LIMITS))

    await place.ask("nano")
    again = await place.ask("nano", text="again")

    assert (again.answer.status, dict(again.answer.headers)[b"retry-after"]) == (429, b"7")
    assert place.upstream.tried() == [NANO.name, NANO.name]


async def test_where_everything_pauses_a_routed_call_is_tried_too(world: MakeWorld) -> None:
    place = world(in_turn(error(429, headers=LIMITS), whole()), where=ONLY_NANO)

    first, second = await place.ask(), await place.ask(text="again")

    assert (first.answer.status, second.answer.status) == (429, 200)
