"""Event streams as OpenAI, its kin and nobody sane would write them.

What `«ours»` and `«/ours»` enclose is there only because the gateway asked for usage: a client that
did not ask gets the stream without it, and one that did ask gets everything.
"""

import json
from dataclasses import dataclass

from tests.fidelity.asked import MEMBERS

OURS, OTHERS = "«ours»".encode(), "«/ours»".encode()
USAGE = '"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}'
HEAD = '"id":"chatcmpl-1","object":"chat.completion.chunk","created":1741569952,"model":"m"'


@dataclass(frozen=True)
class Stream:
    """A body with marks in it."""

    marked: bytes

    def asked(self) -> bytes:
        """As it comes in, and as a client gets it that asked for usage."""
        return self.marked.replace(OURS, b"").replace(OTHERS, b"")

    def unasked(self) -> bytes:
        """As a client gets it that did not."""
        kept, *ours = self.marked.split(OURS)
        return kept + b"".join(part.partition(OTHERS)[2] for part in ours)


def word(text: str, more: str = "", index: int = 0) -> str:
    choice = f'{{"index":{index},"delta":{{"content":{text}}},"finish_reason":null}}'
    return f'data: {{{HEAD},"choices":[{choice}]{more}}}\n\n'


def end(reason: str = "stop", more: str = "", index: int = 0) -> str:
    choice = f'{{"index":{index},"delta":{{}},"finish_reason":"{reason}"}}'
    return f'data: {{{HEAD},"choices":[{choice}]{more}}}\n\n'


def deltas(*pieces: str) -> str:
    """A chunk for each delta, spelled as given."""
    chunks = (f'{{"choices":[{{"index":0,"delta":{piece}}}]}}' for piece in pieces)
    return "".join(f"data: {chunk}\n\n" for chunk in chunks)


NULL = '«ours»,"usage":null«/ours»'
PADDED = f'{NULL},"obfuscation":"a8Kx"'
LAST = f'«ours»data: {{{HEAD},"choices":[],{USAGE}}}\n\n«/ours»'
DONE = "data: [DONE]\n\n"
STOP = end() + LAST + DONE
SHORT = (
    f'data: {{"choices":[{{"index":0,"delta":{{"content":"ü\\ud83d"}}}}]{NULL}}}\n\n'
    ': c\r\n\r\ndata:{"choices":[{"finish_reason":"stop"}]}\r\r'
    f'«ours»data: {{"choices":[],{USAGE}}}\n\n«/ours»{DONE}'
)

TEXTS = (
    '"hi"', '" the"', '"ü"', '"你好"', '"\\u4f60"', '"😀"', '"\\ud83d\\ude00"', '"\\ud83d"',
    '"\\ude00"', '"\\n"', '"\\u000a"', '"a\\/b"', '"\\""', '"\\\\"', '"data: [DONE]\\n\\n"', '"}"',
    '"\\"usage\\":null"', '",\\"usage\\":null}"', '"\u2028"', '"\x7f"', '"«"', '""', "null", "1.0",
    '["a"]',
)  # fmt: skip
REASONS = (
    "stop", "length", "tool_calls", "content_filter", "function_call", "abort", "end_turn", "STOP",
)  # fmt: skip
# How one frame may be written; `%s` is its data.
FRAMES = {
    "usual": "data: %s\n\n",
    "no space": "data:%s\n\n",
    "two spaces": "data:  %s\n\n",
    "a tab": "data:\t%s\n\n",
    "crlf": "data: %s\r\n\r\n",
    "cr": "data: %s\r\r",
    "mixed line ends": "data: %s\r\n\n",
    "an event": "event: message\ndata: %s\n\n",
    "an event behind": "data: %s\nevent: message\n\n",
    "an id": "id: 7\ndata: %s\n\n",
    "an empty id": "id\ndata: %s\n\n",
    "a retry": "retry: 3000\ndata: %s\n\n",
    "all fields": "retry:1\r\nid:a b\r\nevent:x\r\ndata:%s\r\n\r\n",
    "a comment in it": ": hello\ndata: %s\n\n",
    "a comment behind": "data: %s\n: bye\n\n",
    "an unknown field": "meta: {}\ndata: %s\n\n",
    "a field without a value": "data2\ndata: %s\n\n",
    "a blank line before": "\ndata: %s\n\n",
    "blank lines behind": "data: %s\n\n\n\n",
    "spaces in the json": "data:   %s  \n\n",
}
BETWEEN = {
    "a comment": ": ping - 2026-11-24\n\n",
    "an empty comment": ":\n\n",
    "a comment with crlf": ":\r\n\r\n",
    "an event without data": "event: ping\n\n",
    "an id alone": "id: 9\n\n",
    "a retry alone": "retry: 10\n\n",
    "blank lines": "\n\n",
    "a chunk without choices": 'data: {"choices":[]}\n\n',
    "prompt filter results": 'data: {"choices":[],"prompt_filter_results":[{}]}\n\n',
}
ODD = {
    "a refusal": deltas('{"role":"assistant","refusal":""}', '{"refusal":"No"}') + STOP,
    "reasoning": deltas('{"reasoning_content":"2"}', '{"reasoning":"+","content":null}') + STOP,
    "a tool call": deltas(
        '{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":'
        '"function","function":{"name":"f","arguments":""}}],"refusal":null}',
        '{"tool_calls":[{"index":0,"function":{"arguments":"{\\""}}]}',
        '{"tool_calls":[{"index":0,"function":{"arguments":"a\\": 1.0}"}}]}',
    )
    + end("tool_calls")
    + LAST
    + DONE,
    "two tool calls": deltas(
        '{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]}',
        '{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}]}',
        '{"tool_calls":[{"index":0,"function":{"arguments":"}"}},'
        '{"index":1,"function":{"arguments":"}"}}]}',
    )
    + end("tool_calls")
    + LAST
    + DONE,
    "a custom tool": deltas('{"tool_calls":[{"index":0,"custom":{"input":"\\ud83d"}}]}') + STOP,
    "a function call": deltas('{"function_call":{"arguments":"{}"}}') + STOP,
    "logprobs": f'data: {{"choices":[{{"index":0,"delta":{{"content":"a"}},"logprobs":{{"content":['
    f'{{"token":"a","logprob":-1.5e-06,"bytes":[97],"top_logprobs":[]}}],"refusal":null}}}}]'
    f"{NULL}}}\n\n" + STOP,
    "two choices": word('"a"') + word('"b"', index=1) + end() + word('"c"', index=1)
    + end("length", index=1) + LAST + DONE,
    "choices out of order": word('"b"', index=1) + word('"a"') + end(index=1) + STOP,
    "both in one chunk": 'data: {"choices":[{"index":0,"finish_reason":"stop"},{"index":1,'
    '"finish_reason":"stop"}]}\n\n' + LAST + DONE,
    "no [DONE]": word('"a"') + end(),
    "no [DONE], but usage": word('"a"') + end() + LAST,
    "[DONE] without a space": word('"a"') + end() + LAST + "data:[DONE]\n\n",
    "[DONE] with crlf": word('"a"') + end() + LAST + "data: [DONE]\r\n\r\n",
    "an azure start": 'data: {"choices":[],"created":0,"id":"","model":"","object":"",'
    '"prompt_filter_results":[]}\n\n' + word('"a"') + STOP,
    "usage beside the reason": f'data: {{"choices":[{{"index":0,"delta":{{}},"finish_reason":'
    f'"stop"}}],{USAGE}}}\n\n' + DONE,
    "usage in every chunk": word('"a"', f",{USAGE}") + word('"b"', f",{USAGE}") + STOP,
    "usage null before it": 'data: {«ours»"usage":null,«/ours»"choices":[{"index":0,"delta":'
    '{"content":"a"}}]}\n\n' + STOP,
    "usage null, spaced": 'data: {"choices" : [{"delta":{}}]«ours» , "usage" : null«/ours» }\n\n'
    + STOP,
    "usage null within": word('"a"', ',"x":{"usage":null}') + STOP,
    "usage null in many": word('"a"', NULL) + word('"b"', NULL) + end(more=NULL) + LAST + DONE,
    "padded": word('"a"', PADDED) + word('" longer"', PADDED) + end(more=PADDED) + LAST + DONE,
    "padding before usage": word('"a"', f',"obfuscation":"x"{NULL}') + STOP,
    "padding without usage": word('"a"', ',"obfuscation":"x"') + word('"b"', ',"obfuscation":""')
    + STOP,
    "usage null over lines": 'data: {"choices":[{"delta":{"content":"a"}}]\n'
    'data: «ours»,"usage":null«/ours»}\n\n' + STOP,
    "data over lines": 'data: {"choices":[{"index":0,\ndata:"delta":{"content":"a"},\n'
    'data:  "finish_reason":null}]}\n\n' + STOP,
    "data over lines, with crlf": 'data: {"choices":\r\ndata: []}\r\n\r\n' + word('"a"') + STOP,
    "an empty data line": 'data\ndata: {"choices":[]}\n\n' + word('"a"') + STOP,
    "a byte order mark": "\ufeff" + word('"a"') + STOP,
    "the end twice": word('"a"') + end() + end() + LAST + DONE,
    "an error in it": word('"a"') + 'data: {"error":{"message":"b","x":1.0}}\n\n' + DONE,
    "an error that is a text": word('"a"') + 'data: {"error":"overloaded" }\n\n',
    "an error event": word('"a"') + 'event: error\ndata: {"error":{"code":429.0}}\n\n',
    "a megabyte": "".join(word(json.dumps("x" * 1000)) for _ in range(900)) + STOP,
    "a long frame": word(json.dumps("y" * 200_000)) + STOP,
}  # fmt: skip


def streams() -> dict[str, Stream]:
    """Every stream that is to pass, by name."""
    texts = "".join(word(text, PADDED) for text in TEXTS)
    found: dict[str, str] = {"all texts": texts + STOP, "short": SHORT}
    found |= {f"text {text}": word('"a"', NULL) + word(text, NULL) + STOP for text in TEXTS}
    found |= {f"reason {reason}": word('"a"') + end(reason) + LAST + DONE for reason in REASONS}
    found |= {f"frame: {name}": _framed(frame) for name, frame in FRAMES.items()}
    found |= {
        f"between: {name}": word('"a"') + text + word('"b"') + text + end() + text + LAST + DONE
        for name, text in BETWEEN.items()
    }
    found |= {
        f"member: {name}": word('"a"', f"{NULL},{member}") + word('"b"', f",{member}{NULL}") + STOP
        for name, member in MEMBERS.items()
        # A line end would end the event's line.
        if len(member) < 1000 and "\n" not in member
    }
    return {name: Stream(text.encode()) for name, text in (found | ODD).items()}


def _framed(frame: str) -> str:
    before, _, behind = frame.partition("%s")
    chunks = [word('"a"'), word('"b"', NULL), word('"c"'), end()]
    texts = [chunk.removeprefix("data: ").removesuffix("\n\n") for chunk in chunks]
    last = f'{{{HEAD},"choices":[],{USAGE}}}'
    # What comes before the first chunk is dropped: until then another upstream may be asked.
    whole = f"data: {texts[0]}\n\n" + "".join(before + text + behind for text in texts[1:])
    # Empty lines before a frame are part of it, those behind it of the next.
    extra = behind[2:] if behind == "\n\n\n\n" else ""
    return f"{whole}«ours»{before}{last}{behind.removesuffix(extra)}«/ours»{extra}{DONE}"


# Bodies that must not end well, and what may pass of them.
BROKEN: dict[str, tuple[str, str]] = {
    "no reason": (word('"a"') + DONE, word('"a"')),
    "no reason and no end": (word('"a"'), word('"a"')),
    "half a frame": (word('"a"') + word('"b"')[:40], word('"a"')),
    "one of two choices": (word('"a"') + word('"b"', index=1) + end() + DONE, word('"a"')
    + word('"b"', index=1) + end()),
    "no json": (word('"a"') + "data: nonsense\n\n" + STOP, word('"a"')),
    "not a number": (word('"a"') + 'data: {"choices":[],"x":NaN}\n\n' + STOP, word('"a"')),
    "a list": (word('"a"') + "data: []\n\n" + STOP, word('"a"')),
    "neither chunk nor error": (word('"a"') + 'data: {"x":1}\n\n' + STOP, word('"a"')),
}  # fmt: skip
