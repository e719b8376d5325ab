"""What a form that passes refers to is judged on the way, and so is all beside keys."""

from contextlib import suppress

import pytest

from gateway.flow.owners import Owner, Owners, digest
from gateway.upstream.httpx_adapter import HttpxUpstream
from tests.access.door import KEY, RECORD, doorman
from tests.fakes import catalog
from tests.http.edge import Edge, edge
from tests.http.test_passing import FORM, REPLY, passing, sending
from tests.upstream.far_end import Visit, says, serving

JSON = "Content-Type: application/json"
WITH_KEY = f"Authorization: Bearer {KEY.decode()}"
PATH = "/v1/files"


def form(*fields: tuple[str, str]) -> bytes:
    head = '--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    return ("".join(head % field for field in fields) + "--x--\r\n").encode()


OWN = form(("purpose", "user_data"), ("container_ids", "cntr_nobodys"))
FOREIGN = form(("purpose", "user_data"), ("input_reference[file_id]", "file-alices"))


async def owned(e: Edge) -> None:
    owners = Owners(e.flow.parts.affinities)
    await owners.made("file-alices", Owner(digest("key:alice"), "gpt-4.1"), 60.0)


async def test_a_form_that_refers_to_anothers_never_gets_its_end() -> None:
    heard = bytearray()

    async def script(visit: Visit) -> None:
        with suppress(ConnectionError):
            while piece := await visit.reader.read(65536):
                heard.extend(piece)
        visit.left.set()

    async with passing(script, limits={"linger": 0.01}) as (e, far):
        e.plane.door = doorman(None, RECORD, clock=e.clock)
        await owned(e)
        wire = await e.dial()
        wire.send(sending(PATH, len(FOREIGN), WITH_KEY, FORM) + FOREIGN[:-12])
        said = await wire.ask(FOREIGN[-12:])
        await far.visits[0].left.wait()
        ended = (await e.recorder.after(1))[0]

    assert (said.status, said.error["code"]) == (404, None)
    assert "file-alices" in said.error["message"]
    assert b"--x--" not in heard
    assert ended.outcome == "caller_object_not_found"


async def test_the_other_way_of_sending_stops_it_too() -> None:
    async def script(visit: Visit) -> None:
        await visit.gone()

    async with serving(script) as far:
        where = catalog(url=f"http://127.0.0.1:{far.port}/v1")
        async with edge(upstream=HttpxUpstream(), where=where, limits={"linger": 0.01}) as e:
            e.plane.door = doorman(None, RECORD, clock=e.clock)
            await owned(e)
            said = await e.ask(sending(PATH, len(FOREIGN), WITH_KEY, FORM) + FOREIGN)

    assert said.status == 404


@pytest.mark.parametrize("fields", [(WITH_KEY, FORM), (FORM,)])
async def test_other_forms_pass_as_they_are(fields: tuple[str, ...]) -> None:
    heard: list[bytes] = []

    async def script(visit: Visit) -> None:
        heard.append(await visit.request())
        await visit.say(REPLY)

    async with passing(script) as (e, _):
        e.plane.door = doorman(None, RECORD, clock=e.clock, open_to_all=True)
        said = await e.ask(sending(PATH, len(OWN), *fields) + OWN)

    assert said.status == 200
    assert heard[0].endswith(OWN)


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        (JSON, b'{"input_file_id":"file-alices"}', 404),
        (JSON, b'{"input_file_id":"file-nobodys"}', 200),
        (FORM, FOREIGN, 404),
        ("Content-Type: text/plain", b"file-alices", 415),
    ],
)
async def test_beside_keys_whoever_has_none_is_judged_too(
    kind: str, body: bytes, status: int
) -> None:
    async with passing(says(REPLY), limits={"linger": 0.01}) as (e, _):
        e.plane.door = doorman(None, RECORD, clock=e.clock, open_to_all=True)
        await owned(e)
        said = await e.ask(sending("/v1/files", len(body), kind) + body)

    assert said.status == status
