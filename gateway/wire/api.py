"""The routed APIs, and what differs between them for whoever passes their calls on.

A call of either is one JSON body with a `model`, answered by one JSON body or by a stream of
events. All else about them that matters on the way is in this table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.call import Usage
from gateway.errors import UpstreamError
from gateway.wire import reply
from gateway.wire.body import CHAT_LIMITS
from gateway.wire.chat import ChatStream
from gateway.wire.responses import reply as response
from gateway.wire.responses.stream import ResponseStream


class Machine(Protocol):
    """The state of a streamed reply (`gateway.wire.chat.ChatStream` tells the rules)."""

    started: bool
    done: bool
    usage: Usage | None
    model: str
    text_chars: int
    error: Mapping[str, Any] | None
    saw_id: bool
    broken: UpstreamError | None
    sequence: int

    def feed(self, data: bytes) -> bytes:
        """What may go on to the client now."""
        ...

    def end(self) -> None:
        """The body has ended; raises when it was not whole."""
        ...

    def names(self) -> tuple[str, ...]:
        """The ids that later calls may refer to the reply by."""
        ...


class Facts(Protocol):
    """What a whole reply says of itself."""

    @property
    def usage(self) -> Usage | None:
        """The token counts, if stated."""
        ...

    @property
    def model(self) -> str:
        """The response model."""
        ...

    @property
    def text_chars(self) -> int:
        """Characters of its texts, where no tokens were counted."""
        ...

    def names(self) -> tuple[str, ...]:
        """The ids that later calls may refer to it by."""
        ...


@dataclass(frozen=True, slots=True)
class Api:
    """One routed API.

    `path` lies below a deployment's base URL; `machine` is made with whether to strip usage;
    `inspect` looks at a whole reply; `limits` are the members that limit an answer's tokens, the
    one to add first (none: it cannot be cut); `asks_usage`: a stream states its usage only when
    asked; `stores`: replies are kept by the upstream unless the caller says `store: false`.
    """

    name: str
    path: str
    machine: Callable[[bool], Machine]
    inspect: Callable[[bytes], Facts]
    limits: tuple[str, ...]
    asks_usage: bool
    stores: bool


CHAT = Api(
    name="chat",
    path="/chat/completions",
    machine=lambda strip: ChatStream(strip_usage=strip),
    inspect=reply.inspect,
    limits=CHAT_LIMITS,
    asks_usage=True,
    stores=False,
)
RESPONSES = Api(
    name="responses",
    path="/responses",
    machine=lambda _strip: ResponseStream(),
    inspect=response.inspect,
    limits=("max_output_tokens",),
    asks_usage=False,
    stores=True,
)
# A conversation made shorter: a response that cannot be streamed, nor be told how long to be.
COMPACT = Api(
    name="compact",
    path="/responses/compact",
    machine=RESPONSES.machine,
    inspect=response.inspect_compacted,
    limits=(),
    asks_usage=False,
    stores=True,
)
APIS: Mapping[str, Api] = {api.name: api for api in (CHAT, RESPONSES, COMPACT)}
