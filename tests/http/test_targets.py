"""Request targets in absolute form, as clients write them to proxies, are served like any other."""

import pytest

from tests.http.edge import edge, get
from tests.http.test_passing import BODY, REPLY, passing
from tests.upstream.far_end import Visit


@pytest.mark.parametrize(
    ("target", "upstream"),
    [
        ("http://gateway:8080/v1/files/file-1?limit=2", b"/v1/files/file-1?limit=2"),
        ("https://elsewhere.example/v1/files", b"/v1/files"),
    ],
)
async def test_a_target_may_be_a_whole_address(target: str, upstream: bytes) -> None:
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        asked.append((await visit.reader.readuntil(b"\r\n\r\n")).split(b" ")[1])
        await visit.say(REPLY)

    async with passing(script) as (e, _):
        said = await e.ask(get(target))

    assert (said.status, said.body, asked) == (200, BODY, [upstream])


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://gateway/v1/models", 200),
        ("http://gateway/healthz", 200),
        ("http://gateway", 404),
        ("http://gateway?x=1", 404),
        ("http://", 400),
        ("http://gateway:99999999/v1/models", 400),
    ],
)
async def test_a_page_may_be_asked_for_by_its_whole_address(target: str, status: int) -> None:
    async with edge() as e:
        said = await e.ask(get(target))

    assert said.status == status
    if status != 200:
        assert said.error.keys() == {"message", "type", "param", "code"}
