"""Responses, and streams of typed events, as OpenAI, its kin and nobody sane would write them."""

from tests.fidelity.answered import error_replies
from tests.fidelity.asked import MEMBERS
from tests.fidelity.streamed import BETWEEN, FRAMES, TEXTS

_WHOLE = {
    "bare": '{"object":"response"}',
    "output alone": '{"output":[]}',
    "spaced": ' {\n "object" : "response" ,\r\n"output":[ ] }\n',
    "queued": '{"id":"resp_1","object":"response","status":"queued","output":[],"usage":null}',
    "failed": '{"object":"response","status":"failed","error":{"code":"server_error","x":1.0}}',
    "incomplete": '{"object":"response","incomplete_details":{"reason":"max_output_tokens"}}',
    "usage": '{"object":"response","usage":{"input_tokens":9,"input_tokens_details":'
    '{"cached_tokens":0},"output_tokens":3,"output_tokens_details":{},"total_tokens":12}}',
    "odd usage": '{"object":"response","usage":{"input_tokens":9.0,"output_tokens":"3"}}',
    "absurd usage": '{"object":"response","usage":{"input_tokens":99999999999999999999}}',
    "items of all kinds": '{"output":[{"type":"reasoning","encrypted_content":"gAAA=","summary":[]}'
    ',{"type":"function_call","arguments":"{\\"a\\": 1.0}"},{"type":"hologram"},null,7,"x",[]]}',
    "half a surrogate": '{"output":[{"content":[{"type":"output_text","text":"\\ud83d"}]}]}',
    "object twice": '{"object":"x","object":"response"}',
    "a megabyte": '{"object":"response","x":"' + "日本" * 200_000 + '"}',
}
LAST = (
    'event: response.completed\ndata: {"type":"response.completed","sequence_number":9,'
    '"response":{"id":"resp_1","status":"completed"}}\n\n'
)
# Nothing before the first event passes, so that what is odd comes behind it.
FIRST = 'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n'
_ENDS = ("completed", "incomplete", "failed", "cancelled")
_KINDS = (
    "response.output_text.done", "response.function_call_arguments.delta", "response.audio.delta",
    "response.something.new", "keepalive", "", "RESPONSE.X", "ответ",
)  # fmt: skip


def typed(kind: str, more: str = "") -> str:
    return f'event: {kind}\ndata: {{"type":"{kind}"{more},"sequence_number":1}}\n\n'


def delta(text: str) -> str:
    place = ',"item_id":"msg_1","output_index":0,"content_index":0'
    return typed("response.output_text.delta", f'{place},"delta":{text},"logprobs":[]')


SHORT = f"{FIRST}: c\r\n\r\n{delta(chr(34) + 'ü' + chr(92) + 'ud83d' + chr(34))}{LAST}"


def whole_responses() -> dict[str, bytes]:
    """Replies with status 200 that are to pass, by name."""
    found = {
        f"{name}, in front": f'{{{text},"object":"response","output":[]}}'
        for name, text in MEMBERS.items()
    }
    found |= {
        f"{name}, behind": f'{{ "object" : "response" , {text} }}\n'
        for name, text in MEMBERS.items()
    }
    return {name: text.encode() for name, text in (found | _WHOLE).items()}


def typed_streams() -> dict[str, bytes]:
    """Every stream of events that is to pass, by name."""
    found = {"short": SHORT, "all texts": FIRST + "".join(map(delta, TEXTS)) + LAST}
    found |= {f"text {text}": FIRST + delta(text) + LAST for text in TEXTS}
    found |= {f"type {kind}": FIRST + typed(kind) + LAST for kind in _KINDS}
    found |= {f"end {end}": FIRST + typed(f"response.{end}", ',"response":{}') for end in _ENDS}
    found |= {
        f"frame: {name}": FIRST + frame % '{"type":"response.in_progress","x":1.0}' + LAST
        for name, frame in FRAMES.items()
    }
    found |= {
        f"between: {name}": FIRST + text + delta('"a"') + text + LAST
        for name, text in BETWEEN.items()
        # Chunks are no events here.
        if "choices" not in text
    }
    found |= {
        f"member: {name}": FIRST + typed("response.in_progress", f",{member}") + LAST
        for name, member in MEMBERS.items()
        # A line end would end the event's line.
        if "\n" not in member
    }
    found["an error"] = FIRST + typed("error", ',"code":"server_error","message":"b"')
    found["a long event"] = FIRST + delta('"' + "y" * 200_000 + '"') + LAST
    return {name: text.encode() for name, text in found.items()}


# Bodies that must not end well, and what may pass of them.
CUT = {
    "no end": FIRST + delta('"a"'),
    "half an end": FIRST + delta('"a"') + LAST[:60],
    "[DONE] instead": FIRST + delta('"a"') + "data: [DONE]\n\n",
    "no json": FIRST + delta('"a"') + "data: nonsense\n\n" + LAST,
    "no type": FIRST + delta('"a"') + 'data: {"x":1}\n\n' + LAST,
}
PASSES = FIRST + delta('"a"')
ERRORS = error_replies()
