"""From an exchange's bytes to a `Call`, for each routed API."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.access.permissions import tightened
from gateway.call import Call
from gateway.errors import InvalidValue, UnsupportedMedia
from gateway.flow.passage import Routed, Wanted
from gateway.http.exchange import Exchange
from gateway.http.tongues import Messages
from gateway.principal import Principal
from gateway.wire.anthropic.request import Terms, from_request
from gateway.wire.api import CHAT, COMPACT, RESPONSES, Api
from gateway.wire.body import read
from gateway.wire.headers import to_upstream
from gateway.wire.responses.view import view
from gateway.wire.wishes import parse

PASSED_ROUTE = "passed"
CHAT_ROUTE, RESPONSES_ROUTE, MESSAGES_ROUTE, COUNT_ROUTE = "chat", "responses", "messages", "count"
COMPACT_ROUTE = "compact"
DRY_ROUTE = "route"
ROUTED: Mapping[bytes, str] = {
    prefix + path: route
    for path, route in (
        (b"/chat/completions", CHAT_ROUTE),
        (b"/responses", RESPONSES_ROUTE),
        (b"/responses/compact", COMPACT_ROUTE),
        (b"/messages", MESSAGES_ROUTE),
        (b"/messages/count_tokens", COUNT_ROUTE),
        (b"/route", DRY_ROUTE),
    )
    for prefix in (b"/v1", b"")
}
APIS_BY_ROUTE: Mapping[str, Api] = {
    CHAT_ROUTE: CHAT,
    RESPONSES_ROUTE: RESPONSES,
    COMPACT_ROUTE: COMPACT,
}
Asked = tuple[Call, frozenset[str]]


class Asker(NamedTuple):
    """Who asks, by which id the call goes, and how Anthropic's calls are translated."""

    request_id: str
    principal: Principal
    terms: Terms


def asked(exchange: Exchange, fields: dict[bytes, bytes], asker: Asker) -> Asked:
    """The call, and the members of its body that are knobs of ours; `fields` are its headers.

    Raises:
        CallerError: it is none.
    """
    _check_media(fields)
    head = exchange.head
    body = exchange.body()
    document = read(body)
    route = exchange.route if exchange.route != DRY_ROUTE else _meant(document, fields)
    if route in (MESSAGES_ROUTE, COUNT_ROUTE):
        return _message(exchange, document, fields, asker)
    wishes, dropped = parse(fields, document)
    model = document.get("model")
    if not isinstance(model, str) or not model:
        message = "you must provide a model parameter"
        raise InvalidValue(message, param="model")
    stream = document.get("stream") is True and route != COMPACT_ROUTE
    options = document.get("stream_options") if stream else None
    api = APIS_BY_ROUTE[route]
    call = Call(
        id=asker.request_id,
        body=body,
        document=document,
        model=model,
        stream=stream,
        wants_usage=isinstance(options, dict) and options.get("include_usage") is True,
        wishes=tightened(wishes, asker.principal),
        headers=to_upstream(exchange.headers) if head is None else head.upstream,
        arrived=exchange.arrived,
        principal=asker.principal,
        api=api.name,
        view=None if api is CHAT else view(document),
    )
    return call, dropped


def counted(wanted: Wanted, fields: dict[bytes, bytes]) -> Wanted:
    """A request to count tokens, with the response whose tokens they are.

    Raises:
        CallerError: a knob says what cannot be.
    """
    document = wanted.document or {}
    model = document.get("model")
    if not isinstance(model, str) or not model:
        return wanted
    wishes, dropped = parse(fields, document)
    call = Call(
        id=wanted.id,
        body=wanted.body,
        document=document,
        model=model,
        stream=False,
        wants_usage=False,
        wishes=tightened(wishes, wanted.principal),
        headers=wanted.headers,
        arrived=wanted.arrived,
        principal=wanted.principal,
        api=RESPONSES.name,
        view=view(document),
    )
    return wanted._replace(routed=Routed(call, dropped))


def _meant(document: Mapping[str, Any], fields: Mapping[bytes, bytes]) -> str:
    """Whose request a body is that was sent to be looked at only."""
    if b"anthropic-version" in fields:
        return MESSAGES_ROUTE
    return RESPONSES_ROUTE if "input" in document and "messages" not in document else CHAT_ROUTE


def _message(
    exchange: Exchange, document: Mapping[str, Any], fields: dict[bytes, bytes], asker: Asker
) -> Asked:
    if exchange.route == COUNT_ROUTE:
        # What is only counted needs no limit.
        document = {**document, "max_tokens": 1, "stream": False}
    translated = from_request(document, fields, asker.terms)
    if translated.session:
        # Not into `fields`: they may be read again for the connection's next call.
        fields = {b"x-session-id": translated.session.encode(), **fields}
    wishes, dropped = parse(fields, translated.document)
    if isinstance(exchange.tongue, Messages):
        exchange.tongue.translated = translated
    call = Call(
        id=asker.request_id,
        body=translated.body,
        document=translated.document,
        model=translated.document["model"],
        stream=translated.stream,
        wants_usage=True,
        wishes=tightened(wishes, asker.principal),
        headers=to_upstream(exchange.headers),
        arrived=exchange.arrived,
        principal=asker.principal,
    )
    return call, dropped


def _check_media(fields: dict[bytes, bytes]) -> None:
    kind = fields.get(b"content-type")
    if kind is not None and b"json" not in kind.lower():
        message = "Send the body as application/json."
        raise UnsupportedMedia(message)
    encoding = fields.get(b"content-encoding")
    if encoding is not None and encoding.lower() != b"identity":
        message = "Compressed request bodies are not read; send it as it is."
        raise UnsupportedMedia(message)
