"""What a key's request must say of its body to be passed on: what can be read, and read once."""

import pytest

from gateway.errors import NotFound
from gateway.flow.owners import Owner, Owners, digest
from gateway.wire.surface import below
from tests.access.door import KEY, RECORD, doorman
from tests.http.edge import edge, get
from tests.http.test_passing import FORM, REPLY, passing, sending
from tests.http.test_tunnels import OFFER
from tests.upstream.far_end import Visit, says

JSON = "Content-Type: application/json"
WITH_KEY = f"Authorization: Bearer {KEY.decode()}"
FOREIGN = b'{"input_file_id":"file-alices"}'


@pytest.mark.parametrize(
    ("path", "fields", "body", "status", "code"),
    [
        ("/v1/batches", (JSON,), FOREIGN, 404, None),
        ("/v1/batches", (), FOREIGN, 404, None),
        ("/v1/batches", ("Content-Type: text/plain",), FOREIGN, 415, "unsupported_media_type"),
        ("/v1/batches", (FORM,), FOREIGN, 415, "unsupported_media_type"),
        ("/v1/files", (JSON, "Content-Encoding: gzip"), b"\x1f\x8b", 415, "unsupported_media_type"),
        ("/v1/batches", (JSON, FORM), FOREIGN, 400, "invalid_http"),
        ("/v1/batches", (JSON,), b"{", 400, "invalid_json"),
        ("/v1/batches", (JSON,), b"[]", 400, "invalid_json"),
        ("/v1/batches", (JSON,), b'{"File_ID":1,"file_id":2}', 400, "invalid_value"),
        ("/v1/batches", (JSON,), b'{"file\\u005fid":"file-alices"}', 404, None),
        ("/v1/files", (FORM,), b"--x--", 200, None),
        ("/v1/conversations", (JSON,), b'{"metadata":{"file_id":"file-alices"}}', 200, None),
        ("/v1/conversations", (JSON,), b'{"x":"' + b"y" * 70_000 + b'"}', 200, None),
    ],
)
async def test_a_keys_body_must_be_one_that_can_be_judged(
    path: str, fields: tuple[str, ...], body: bytes, status: int, code: str | None
) -> None:
    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.reader.readexactly(len(body))
        await visit.say(REPLY)

    async with passing(script, limits={"linger": 0.01}) as (e, _):
        e.plane.door = doorman(None, RECORD, clock=e.clock)
        owners = Owners(e.flow.parts.affinities)
        await owners.made("file-alices", Owner(digest("key:alice"), "gpt-4.1"), 60.0)

        said = await e.ask(sending(path, len(body), WITH_KEY, *fields) + body)

    assert said.status == status
    if status != 200:
        assert said.error["code"] == code
        assert said.error.keys() == {"message", "type", "param", "code"}


async def test_without_a_key_only_what_a_body_is_said_to_be_must_be_clear() -> None:
    async with passing(says(REPLY), limits={"linger": 0.01}) as (e, _):
        twice = await e.ask(sending("/v1/files", 2, JSON, FORM) + b"{}")

    assert (twice.status, twice.error["code"]) == (400, "invalid_http")


async def test_a_query_names_one_model() -> None:
    async with edge() as e:
        said = await e.ask(get("/v1/realtime?model=a&model=b", *OFFER))

    assert (said.status, said.error["param"]) == (400, "model")


async def test_a_query_with_too_many_fields_is_none() -> None:
    async with edge() as e:
        said = await e.ask(get("/v1/files?" + "&".join(f"{n}_id=1" for n in range(99))))

    assert (said.status, said.error["code"]) == (400, "invalid_value")


async def test_where_something_was_made_may_be_told_by_a_field() -> None:
    made = REPLY.replace(b"Set-Cookie: a=b", b"Location: /v1/realtime/calls/rtc_Abc").replace(
        b"application/json\r\n", b"application/sdp\r\n"
    )
    made = made.replace(b'{ "id" : "file" }', b"v=0              ")
    async with passing(says(made)) as (e, _):
        e.plane.door = doorman(None, RECORD, clock=e.clock)
        fields = (WITH_KEY, "Content-Type: application/sdp")
        await e.ask(sending("/v1/realtime/calls", 3, *fields) + b"v=0")
        (owner,) = await Owners(e.flow.parts.affinities).of(["rtc_Abc"])

    assert owner is not None
    assert owner.tenant == digest(f"key:{RECORD.id}")


@pytest.mark.parametrize(
    "path",
    [b"/v1/%66iles/file-1", b"/v1/files/file%2d1", b"/v1/files/%2566", b"/v1/a%00", b"/v1/a b"],
)
def test_a_path_is_spelled_plainly(path: bytes) -> None:
    with pytest.raises(NotFound):
        below(path)


def test_what_must_be_spelled_may_be() -> None:
    assert below(b"/v1/models/ft%3Agpt%20x") == "/models/ft%3Agpt%20x"
