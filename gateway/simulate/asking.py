"""Reads a request body into an `Ask`, or refuses it in OpenAI's words.

Unknown parameters pass, as they do there. The deprecated `functions`, audio and web search are
not simulated: such a call gets a text.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from gateway.catalog import Catalog, Model, Tier
from gateway.simulate import refusals
from gateway.simulate.checks import check_messages, check_numbers
from gateway.simulate.refusals import Refusal
from gateway.simulate.toolbox import Toolbox, open_toolbox

# Asked for in another way, the answer is the same.
PRESENTATION = frozenset({"stream", "stream_options"})
MAX_STOPS = 4
# Where any object will do, it can say that it is simulated.
ANY_OBJECT: Mapping[str, Any] = {
    "type": "object",
    "properties": {"simulated": {"const": True}, "answer": {"type": "string"}},
    "required": ["simulated", "answer"],
}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that will be served.

    `limit` is the most completion tokens; `logprobs` the number of alternatives wanted (None:
    no log-probabilities); `schema` what the text must satisfy as JSON (None: free text);
    `fingerprint` the same for the same question, streamed or not.
    """

    document: Mapping[str, Any]
    tier: Tier
    model: Model
    fingerprint: bytes
    stream: bool
    usage: bool
    obfuscate: bool
    n: int
    stop: tuple[str, ...]
    limit: int
    logprobs: int | None
    schema: Mapping[str, Any] | None
    toolbox: Toolbox


def read_json(body: bytes) -> object:
    """Read JSON; lone surrogates, which no reply could carry, become question marks."""
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_loosely(body)
    return document


def _read_loosely(body: bytes) -> object:
    try:
        loose = json.dumps(json.loads(body), ensure_ascii=False)
        document: object = orjson.loads(loose.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        message = (
            "We could not parse the JSON body of your request. (HINT: This likely means you "
            "aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, "
            "but what was sent was not valid JSON.)"
        )
        raise Refusal(400, message) from None
    return document


def read(body: bytes, catalog: Catalog) -> Ask:
    """Read and check a chat request.

    Raises:
        Refusal: as OpenAI would refuse it.
    """
    document = read_json(body)
    if not isinstance(document, dict):
        refusals.refuse_type("body", "an object", document)
    return read_document(document, catalog)


def read_document(document: Mapping[str, Any], catalog: Catalog) -> Ask:
    """Check a chat request that is read.

    Raises:
        Refusal: as OpenAI would refuse it.
    """
    tier, model = _model(document, catalog)
    check_messages(document)
    check_numbers(document)
    stream = document.get("stream") is True
    options = document.get("stream_options")
    if options is not None and not stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        refusals.refuse_value("stream_options", message, None)
    options = options if isinstance(options, dict) else {}
    return Ask(
        document=document,
        tier=tier,
        model=model,
        fingerprint=_fingerprint(document),
        stream=stream,
        usage=options.get("include_usage") is True,
        obfuscate=options.get("include_obfuscation") is not False,
        n=document.get("n") or 1,
        stop=_stop(document),
        limit=_limit(document, model),
        logprobs=_logprobs(document),
        schema=_schema(document),
        toolbox=open_toolbox(document),
    )


def _fingerprint(document: Mapping[str, Any]) -> bytes:
    question = {key: value for key, value in document.items() if key not in PRESENTATION}
    return blake2b(orjson.dumps(question, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _model(document: Mapping[str, Any], catalog: Catalog) -> tuple[Tier, Model]:
    name = document.get("model")
    if not isinstance(name, str) or not name:
        raise Refusal(400, "you must provide a model parameter")
    if name not in catalog.by_model:
        refusals.refuse_model(name[:100])
    return catalog.by_model[name]


def _stop(document: Mapping[str, Any]) -> tuple[str, ...]:
    stop = document.get("stop")
    stops = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(stops, list) or not all(isinstance(each, str) for each in stops):
        refusals.refuse_type("stop", "a string or an array of strings", stop)
    if len(stops) > MAX_STOPS:
        message = (
            f"Invalid 'stop': array too long. Expected an array with maximum length {MAX_STOPS}, "
            f"but got an array with length {len(stops)} instead."
        )
        refusals.refuse_value("stop", message, "array_above_max_length")
    return tuple(each for each in stops if each)


def _limit(document: Mapping[str, Any], model: Model) -> int:
    for param in ("max_completion_tokens", "max_tokens"):
        limit = document.get(param)
        if isinstance(limit, int) and limit > model.max_output:
            message = (
                f"{param} is too large: {limit}. This model supports at most {model.max_output} "
                f"completion tokens, whereas you provided {limit}."
            )
            refusals.refuse_value(param, message)
        if isinstance(limit, int):
            return limit
    return model.max_output


def _logprobs(document: Mapping[str, Any]) -> int | None:
    wanted = document.get("top_logprobs")
    if document.get("logprobs") is True:
        return wanted or 0
    if wanted is not None:
        message = "Invalid 'top_logprobs': only allowed when 'logprobs' is enabled."
        refusals.refuse_value("top_logprobs", message)
    return None


def _schema(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    response_format = document.get("response_format")
    if response_format is None:
        return None
    if not isinstance(response_format, dict):
        refusals.refuse_type("response_format", "an object", response_format)
    match response_format.get("type"):
        case "text":
            return None
        case "json_object":
            _require_json_in_messages(document)
            return ANY_OBJECT
        case "json_schema":
            return _json_schema(response_format.get("json_schema"))
        case other:
            message = (
                f"Invalid value: '{other}'. "
                "Supported values are: 'text', 'json_object', and 'json_schema'."
            )
            raise Refusal(400, message, param="response_format.type", code="invalid_value")


def _json_schema(named: object) -> Mapping[str, Any]:
    if not isinstance(named, dict):
        refusals.refuse_missing("response_format.json_schema")
    if not isinstance(named.get("name"), str):
        refusals.refuse_missing("response_format.json_schema.name")
    schema = named.get("schema", {})
    if not isinstance(schema, dict):
        refusals.refuse_type("response_format.json_schema.schema", "an object", schema)
    return schema


def _require_json_in_messages(document: Mapping[str, Any]) -> None:
    if not any("json" in text.lower() for text in texts(document["messages"])):
        message = (
            "'messages' must contain the word 'json' in some form, "
            "to use 'response_format' of type 'json_object'."
        )
        refusals.refuse_value("messages", message, None)


def texts(messages: list[dict[str, Any]], *roles: str) -> Iterator[str]:
    """The text of each message in order; of these roles only, if any are given."""
    for message in messages:
        if not roles or message.get("role") in roles:
            yield text_of(message.get("content"))


def text_of(content: object) -> str:
    """The text in a message's content, whichever way it is written."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    found = (part.get("text") for part in parts if isinstance(part, dict))
    return "\n".join(text for text in found if isinstance(text, str))
