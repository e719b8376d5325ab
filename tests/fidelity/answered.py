"""Replies as OpenAI, its kin and nobody sane would write them.

A 200 needs only be a JSON object with a list of choices; everything in it is the client's. An error
needs only be a JSON object with an `error` in it.
"""

from tests.fidelity.asked import MEMBERS, MESSAGES

# What replies have and requests have not.
_CHOICES = {
    "none": "[]",
    "spaced": "[ ]",
    "one": '[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]',
    "logprobs null": '[{"index":0,"message":{"role":"assistant","content":"hi","refusal":null,'
    '"annotations":[]},"logprobs":null,"finish_reason":"stop"}]',
    "logprobs": '[{"index":0,"message":{"content":"a"},"logprobs":{"content":[{"token":"a",'
    '"logprob":-3.1281633e-07,"bytes":[97],"top_logprobs":[{"token":"a","logprob":-0.0}]}],'
    '"refusal":null},"finish_reason":"length"}]',
    "no finish reason": '[{"index":0,"message":{"content":"hi"},"finish_reason":null}]',
    "unknown finish reason": '[{"message":{"content":"hi"},"finish_reason":"abort"}]',
    "content filter": '[{"index":0,"message":{"content":null},"finish_reason":"content_filter",'
    '"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]',
    "a refusal": '[{"index":0,"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}]',
    "two, the second first": '[{"index":1,"message":{"content":"b"}},'
    '{"index":0,"message":{"content":"a"}}]',
    "tool calls": '[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":'
    '"call_1","type":"function","function":{"name":"f","arguments":"{\\"a\\": 1.0}"}},{"id":"c",'
    '"type":"custom","custom":{"name":"g","input":"\\ud83d"}}]},"finish_reason":"tool_calls"}]',
    "arguments cut short": '[{"message":{"tool_calls":[{"function":{"arguments":"{\\"a"}}]}}]',
    "arguments that are no text": '[{"message":{"tool_calls":[{"function":{"arguments":{}}}]}}]',
    "reasoning": '[{"index":0,"message":{"content":"4","reasoning_content":"2+2","reasoning":"x",'
    '"reasoning_details":[{"type":"reasoning.encrypted","data":"="}]}}]',
    "audio": '[{"index":0,"message":{"content":null,"audio":{"id":"a","data":"UklG","expires_at":'
    '1741570283,"transcript":"hi"}}}]',
    "citations": '[{"message":{"content":"x[1]","annotations":[{"type":"url_citation",'
    '"url_citation":{"start_index":1,"end_index":4,"url":"https://a/?b=c&d","title":"\\u201c"}}]}}]',
    "half a surrogate": '[{"index":0,"message":{"content":"\\ud83d"}}]',
    "content in parts": '[{"message":{"content":[{"type":"text","text":"hi"}]}}]',
    "no message": '[{"index":0}]',
    "texts": '["a"]',
    "nulls": "[null]",
    "nested": "[[[]]]",
    "a function call": '[{"message":{"function_call":{"name":"f","arguments":"{}"}}}]',
}
_USAGE = {
    "none": "null",
    "an empty one": "{}",
    "a usual one": '{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,'
    '"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0}}',
    "floats": '{"prompt_tokens":9.0,"completion_tokens":3.0}',
    "texts": '{"prompt_tokens":"9"}',
    "absurd": '{"prompt_tokens":99999999999999999999,"completion_tokens":-1}',
    "a list": "[1,2.0]",
    "nulls": '{"prompt_tokens":9,"completion_tokens":3,"prompt_tokens_details":null}',
    "unknown details": '{"prompt_tokens":9,"completion_tokens":3,"cost":1.50e-3,"x":{"y":[]}}',
}
_ODD = {
    "spaces about": b' \t\r\n{ "choices" : [ ] } \r\n',
    "a trailing line end": b'{"choices":[]}\n',
    "choices twice": b'{"choices":null,"choices":[]}',
    "choices with an escaped key": b'{"cho\\u0069ces":[]}',
    "an error beside choices": b'{"error":null,"choices":[]}',
    "a true error beside choices": b'{"choices":[],"error":{"message":"x"}}',
    "as deep as orjson reads": b'{"choices":[],"x":' + b"[" * 900 + b"]" * 900 + b"}",
    "a megabyte": b'{"choices":[],"x":"' + "日本".encode() * 200_000 + b'"}',
    "a model of another kind": b'{"model":4.1,"choices":[]}',
    "a model in another alphabet": '{"model":"модель","choices":[]}'.encode(),
    "ids and stamps": b'{"id":"chatcmpl-\\u002d1","object":"chat.completion","created":1.741e9,'
    b'"model":"gpt-4.1-nano-2025-04-14","system_fingerprint":null,"service_tier":"default",'
    b'"choices":[]}',
    "key order": b'{"usage":{},"choices":[],"model":"m","created":0,"object":"o","id":""}',
}
# Pretty-printed, as some servers do.
_ODD["indented"] = b'{\n  "choices": [\n  ],\n  "usage": {\n    "prompt_tokens": 1\n  }\n}\n'

_ERRORS = {
    "usual": '{"error":{"message":"m","type":"invalid_request_error","param":null,"code":null}}',
    "indented": '{\n  "error": {\n    "message": "m",\n    "type": "t"\n  }\n}\n',
    "key order": '{"error":{"code":"c","param":"p","type":"t","message":"m"}}',
    "members beside": '{"x":1.0,"error":{"message":"m"},"y":-0.0}',
    "a number as its code": '{"error":{"message":"m","code":400.0}}',
    "odd types": '{"error":{"message":["m"],"type":{},"param":1e2,"code":false}}',
    "an empty one": '{"error":{}}',
    "spaced": ' { "error" : { } } \r\n',
    "unicode": '{"error":{"message":"Ungültig: «\\u00e9» 你好 😀"}}',
    "half a surrogate": '{"error":{"message":"near \\ud83d"}}',
    "two of them": '{"error":{"message":"a"},"error":{"message":"b"}}',
    "huge numbers": '{"error":{"limit":123456789012345678901234567890,"x":1e300}}',
    "an inner error": '{"error":{"innererror":{"code":"ResponsibleAIPolicyViolation",'
    '"content_filter_result":{"hate":{"filtered":true}}},"code":"content_filter","status":400}}',
    "deep": '{"error":{"x":' + "[" * 200 + "]" * 200 + "}}",
    "metadata": '{"error":{"message":"m","code":429,"metadata":{"raw":"{}"}},"user_id":"u"}',
}
REFUSED = {
    "no json": b"Bad Gateway",
    "html": b"<html>502</html>",
    "nothing": b"",
    "a list": b'[{"choices":[]}]',
    "a text": b'"choices"',
    "choices null": b'{"choices":null}',
    "no choices": b'{"object":"chat.completion"}',
    "choices in an object": b'{"choices":{}}',
    "an error in disguise": b'{"error":{"message":"overloaded","type":"server_error"}}',
    "a byte order mark": b'\xef\xbb\xbf{"choices":[]}',
    "not a number": b'{"choices":[],"x":NaN}',
    "cut in the middle": b'{"choices":[{"message":{"content":"so f',
    "something behind": b'{"choices":[]}{"choices":[]}',
    "broken utf-8": b'{"choices":[],"x":"\xff"}',
    "an event stream": b'data: {"choices":[]}\n\n',
}


def whole_replies() -> dict[str, bytes]:
    """Replies with status 200 that are to pass, by name."""
    found = {
        f"{name}, in front": f'{{{text},"choices":[]}}'.encode() for name, text in MEMBERS.items()
    }
    found |= {
        f"{name}, behind": f'{{ "choices" : [] , {text} }}\n'.encode()
        for name, text in MEMBERS.items()
    }
    found |= {
        f"choices: {name}": f'{{"choices":{text},"usage":null}}'.encode()
        for name, text in _CHOICES.items()
    }
    found |= {
        f"usage: {name}": f'{{"usage":{text},"choices":[]}}'.encode()
        for name, text in _USAGE.items()
    }
    found |= {
        f"said: {name}": f'{{"choices":[{{"message":{{"content":{text}}}}}]}}'.encode()
        for name, text in MESSAGES.items()
    }
    return found | _ODD


def error_replies() -> dict[str, bytes]:
    """Error bodies that are to pass, by name."""
    return {name: text.encode() for name, text in _ERRORS.items()}
