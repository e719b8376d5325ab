"""When a connection goes on after a reply, and when the reply is its last."""

from tests.flow.replies import STREAMED, body, stream, whole
from tests.http.edge import asking, edge, post, streaming
from tests.http.wires import Said


async def test_an_http_1_0_client_gets_a_whole_reply_and_the_end() -> None:
    async with edge() as e:
        wire = (await e.dial()).send(post(version="1.0"))
        said = await wire.reply()

        assert await wire.is_over()
    assert said.body == body()
    assert said.headers["connection"] == "close"


async def test_an_http_1_0_client_reads_a_stream_up_to_the_end() -> None:
    async with edge(lambda _: stream()) as e:
        said = await e.ask(post(asking(stream=True), version="1.0"))

    assert said.body == STREAMED
    assert said.headers["connection"] == "close"
    assert "transfer-encoding" not in said.headers


async def test_a_client_that_closes_is_told_so_and_the_connection_ends() -> None:
    def closes(said: Said) -> bool:
        return said.headers.get("connection") == "close"

    async with edge(lambda r: stream() if r.stream else whole()) as e:
        for ask in (post(None, "Connection: close"), streaming("Connection: close")):
            wire = (await e.dial()).send(ask)

            assert closes(await wire.reply())
            assert await wire.is_over()


async def test_a_connection_serves_call_after_call() -> None:
    async with edge(lambda r: stream() if r.stream else whole()) as e:
        wire = await e.dial()
        said = [await wire.ask(ask) for ask in (post(), streaming(), post(b"{"), post())]

        assert len(e.server.server_state.connections) == 1
        assert e.server.server_state.total_requests == 4
    assert [one.status for one in said] == [200, 200, 400, 200]
    assert all("connection" not in one.headers for one in said)
