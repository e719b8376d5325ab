"""How each routed API answers: its errors, its streams' ends, and for Anthropic's all of it.

Answers of the chat API are the bytes that pass; the others differ where they must and nowhere else.
"""

from gateway.errors import GatewayError, ModelNotFound
from gateway.flow.answer import Answer
from gateway.wire.anthropic import failures
from gateway.wire.anthropic.request import Translated
from gateway.wire.encoding import decoded
from gateway.wire.envelope import envelope, error_frame
from gateway.wire.responses.errors import error_event

JSON_TYPE = (b"content-type", b"application/json")
REMADE = frozenset({b"content-encoding", b"content-length", b"content-type"})


class Tongue:
    """OpenAI's chat completions: what comes is what goes."""

    translates = False

    def error(self, error: GatewayError, request_id: str) -> tuple[int, bytes]:
        """The status and the body of an error of ours."""
        _ = request_id
        return error.status, envelope(error)

    def fields(self, request_id: str) -> bytes:
        """Head fields of its own."""
        _ = request_id
        return b""

    def cut(self, error: GatewayError) -> bytes:
        """What ends a stream that cannot go on."""
        return error_frame(error)

    def whole(self, answer: Answer) -> None:
        """Turn a whole answer into its own words."""

    def begin(self, answer: Answer) -> None:
        """A stream begins."""

    def feed(self, data: bytes) -> bytes:
        """A piece of a stream in its own words, possibly nothing."""
        return data

    def end(self) -> bytes:
        """What comes after the last piece."""
        return b""


CHAT = Tongue()


class Responses(Tongue):
    """OpenAI's Responses: an error inside a stream is one more numbered event."""

    def __init__(self) -> None:
        self._answer: Answer | None = None

    def error(self, error: GatewayError, request_id: str) -> tuple[int, bytes]:
        _ = request_id
        if isinstance(error, ModelNotFound):
            # As OpenAI spells it on this API.
            error.param = "model"
            name = error.message.partition("`")[2].rpartition("`")[0]
            error.message = f"The requested model '{name}' does not exist."
            return 400, envelope(error)
        return error.status, envelope(error)

    def begin(self, answer: Answer) -> None:
        self._answer = answer

    def cut(self, error: GatewayError) -> bytes:
        last = self._answer.sequence() if self._answer is not None else -1
        return error_event(error, last + 1)


class Messages(Tongue):
    """Anthropic's Messages: everything is translated on its way back."""

    translates = True

    def __init__(self, max_reply: int) -> None:
        self._max_reply = max_reply
        self.translated: Translated | None = None

    def error(self, error: GatewayError, request_id: str) -> tuple[int, bytes]:
        failure = failures.from_error(error, request_id)
        return failure.status, failure.body

    def fields(self, request_id: str) -> bytes:
        return b"request-id: %b\r\n" % request_id.encode()

    def cut(self, error: GatewayError) -> bytes:
        return self._machine.feed(error_frame(error))

    def whole(self, answer: Answer) -> None:
        fields = dict(answer.headers)
        encoding = fields.get(b"content-encoding", b"").lower()
        body = decoded(answer.first, encoding, self._max_reply)
        if answer.status == 200 and self.translated is not None:
            answer.first = self.translated.reply(body)
        else:
            request_id = answer.journey.call.id
            answer.status, answer.first = failures.translate(answer.status, body, request_id)
        kept = tuple(field for field in answer.headers if field[0] not in REMADE)
        answer.headers = (*kept, JSON_TYPE)

    def begin(self, answer: Answer) -> None:
        journey, translated = answer.journey, self.translated
        if translated is not None:
            seen = journey.assessment
            tokens = seen.text_tokens if seen is not None else 0
            self._machine = translated.events(tokens, journey.call.id)

    def feed(self, data: bytes) -> bytes:
        return self._machine.feed(data)

    def end(self) -> bytes:
        return self._machine.end()
