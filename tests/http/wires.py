"""Clients that speak bytes, and replies as they came over the wire."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

# Nothing here takes longer unless it hangs.
PATIENCE = 10.0


@dataclass(frozen=True)
class Said:
    """One reply, as it came over the wire: `chunks` if it was chunked."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes
    chunks: list[bytes]

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.fields)

    @property
    def error(self) -> dict[str, Any]:
        """The error of an envelope that has all it must have."""
        assert self.headers["content-type"] == "application/json"
        assert self.headers["x-request-id"]
        document = json.loads(self.body)
        assert list(document) == ["error"]
        error: dict[str, Any] = document["error"]
        assert sorted(error) == ["code", "message", "param", "type"]
        assert isinstance(error["message"], str)
        assert error["message"]
        return error


class Wire:
    """A client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> "Wire":
        self.writer.write(data)
        return self

    async def head(self) -> tuple[int, list[tuple[str, str]]]:
        """A reply's status and fields."""
        async with asyncio.timeout(PATIENCE):
            raw = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1")[:-4].split("\r\n")
        fields = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        return int(first.split(" ")[1]), fields

    async def chunk(self) -> bytes:
        """The next chunk of a chunked reply; `b""` is the last."""
        async with asyncio.timeout(PATIENCE):
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            return (await self.reader.readexactly(size + 2))[:-2]

    async def reply(self, *, to_head: bool = False) -> Said:
        """A whole reply, by its own framing."""
        status, fields = await self.head()
        headers, chunks, body = dict(fields), [], b""
        if headers.get("transfer-encoding") == "chunked":
            while chunk := await self.chunk():
                chunks.append(chunk)
            body = b"".join(chunks)
        elif "content-length" in headers:
            size = 0 if to_head else int(headers["content-length"])
            async with asyncio.timeout(PATIENCE):
                body = await self.reader.readexactly(size)
        else:
            body = await self.rest()
        return Said(status, fields, body, chunks)

    async def rest(self) -> bytes:
        """Everything up to the end, which must come."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    async def is_over(self) -> bool:
        """Whether nothing more comes and the connection ends, in whatever way."""
        try:
            return await self.rest() == b""
        except ConnectionError:
            return True

    def hang_up(self) -> None:
        self.writer.transport.abort()

    async def ask(self, data: bytes) -> Said:
        return await self.send(data).reply()
