"""Request bodies in every spelling the grammar has, and some that clients really send.

Marks stand where bytes may differ on their way: `«model»` is the requested name on one side and
the routed one on the other, `«ask»` is where a stream's usage is asked for, and what `«cut»` and
`«/cut»` enclose is a knob of ours that goes no further. Everything else must arrive as it came.
"""

from dataclasses import dataclass

MODEL, ASK, CUT, UNCUT = "«model»".encode(), "«ask»".encode(), "«cut»".encode(), "«/cut»".encode()
INJECTED = b'"stream_options":{"include_usage":true},'
DEEPEST = 128


@dataclass(frozen=True)
class Request:
    """A body with marks in it."""

    name: str
    marked: bytes

    def sent(self, model: bytes) -> bytes:
        """As the client writes it."""
        plain = self.marked.replace(CUT, b"").replace(UNCUT, b"").replace(ASK, b"")
        return plain.replace(MODEL, model)

    def arrives(self, model: bytes) -> bytes:
        """As the upstream must see it."""
        kept, *knobs = self.marked.split(CUT)
        kept += b"".join(knob.partition(UNCUT)[2] for knob in knobs)
        return kept.replace(ASK, INJECTED).replace(MODEL, model)


def request(name: str, text: str) -> Request:
    # A lone surrogate cannot be written raw; the texts below only have it escaped.
    return Request(name, text.encode())


# Members as they may stand beside `model` and `messages`.
MEMBERS = {
    "one": '"x":1',
    "one point nought": '"x":1.0',
    "minus nought": '"x":-0',
    "minus nought point nought": '"x":-0.0',
    "small exponent": '"x":1e2',
    "exponent with plus": '"x":1E+2',
    "exponent with minus": '"x":1.50e-07',
    "tiny": '"x":5e-324',
    "below tiny": '"x":1e-400',
    "largest float": '"x":1.7976931348623157e308',
    "2 to the 53, plus 1": '"x":9007199254740993',
    "2 to the 63": '"x":9223372036854775808',
    "2 to the 64": '"x":18446744073709551616',
    "forty digits": '"x":1234567890123456789012345678901234567890',
    "minus forty digits": '"x":-1234567890123456789012345678901234567890',
    "many decimals": '"x":0.1000000000000000055511151231257827021181583404541015625',
    "trailing noughts": '"x":0.70000',
    "true": '"x":true',
    "false": '"x":false',
    "null": '"x":null',
    "empty text": '"x":""',
    "empty array": '"x":[]',
    "empty object": '"x":{}',
    "spaced empty array": '"x":[ ]',
    "spaced empty object": '"x":{\n}',
    "empty key": '"":1',
    "blank key": '" ":1',
    "key with a quote": '"a\\"b":1',
    "key with a brace": '"}":1',
    "key with a line end": '"\\n":1',
    "unicode key": '"ключ":"значение"',
    "escaped unicode key": '"\\u043a":1',
    "long key": f'"{"k" * 500}":1',
    "escapes": '"x":"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    "escaped ascii": '"x":"\\u0041\\u0020"',
    "escaped slash": '"x":"a\\/b"',
    "upper-case escapes": '"x":"\\u00E9\\u00e9"',
    "escaped null": '"x":"\\u0000"',
    "escaped controls": '"x":"\\u001f\\u007f"',
    "raw delete": '"x":"\x7f"',
    "latin": '"x":"naïve café"',
    "chinese": '"x":"你好，世界"',
    "arabic and bidi marks": '"x":"\u202eمرحبا\u202c"',
    "emoji": '"x":"😀👩‍👩‍👧‍👦"',
    "escaped emoji": '"x":"\\ud83d\\ude00"',
    "lone high surrogate": '"x":"\\ud83d"',
    "lone low surrogate": '"x":"\\uDE00"',
    "surrogates the wrong way": '"x":"\\ude00\\ud83d"',
    "surrogate as a key": '"\\ud83d":1',
    "combining marks": '"x":"e\u0301"',
    "non-characters": '"x":"\ufffe\uffff"',
    "byte order mark inside": '"x":"\ufeff"',
    "line separators": '"x":"\u2028\u2029\u0085"',
    "replacement character": '"x":"\ufffd"',
    "private use": '"x":"\ue000\U0010fffd"',
    "html": '"x":"<script>&amp;</script>"',
    "json in text": '"x":"{\\"model\\":\\"gpt-4o\\"}"',
    "model in text": '"x":"\\"model\\":\\"auto\\""',
    "our marks of usage": '"x":"\\"stream_options\\":{\\"include_usage\\":true}"',
    "event stream in text": '"x":"data: [DONE]\\n\\n"',
    "same key twice": '"x":1,"x":2',
    "same key thrice": '"x":[],"x":{},"x":"y"',
    "nested model": '"x":{"model":"inner","messages":[{"model":"deeper"}]}',
    "model as a value": '"x":"model"',
    "models as a text": '"models":"gpt-4o"',
    "provider as a text": '"provider":"someone"',
    "plugins of another": '"plugins":[{"id":"web"}]',
    "cache as a text": '"cache":"ephemeral"',
    "nested arrays": '"x":[[[[[[1]]]]]]',
    "mixed array": '"x":[1,1.0,"1",true,null,{},[]]',
    "array with odd spaces": '"x":[ 1 ,2,\t3\r\n]',
    "object with odd spaces": '"x" : { "a" :1 ,"b": 2 }',
    "tabs and returns": '\t"x"\r\n:\n\r"y"\t',
    "temperature with a nought": '"temperature":0.70',
    "integer limit as a float": '"max_tokens":16.0',
    "limits both": '"max_tokens":5,"max_completion_tokens":null',
    "metadata": '"metadata":{"a":"1","A":"2"}',
    "stop": '"stop":["\\n\\n","###"]',
    "logit bias": '"logit_bias":{"50256":-100,"00":1e0}',
    "response format": '"response_format":{"type":"json_schema","json_schema":{"name":"n",'
    '"strict":true,"schema":{"type":"object","properties":{},"additionalProperties":false}}}',
    "tools": '"tools":[{"type":"function","function":{"name":"f","parameters":{"$ref":"#"}}}]',
    "deprecated functions": '"functions":[{"name":"f","parameters":{}}],"function_call":"auto"',
    "prediction": '"prediction":{"type":"content","content":[{"type":"text","text":""}]}',
    "seed beyond": '"seed":99999999999999999999',
    "stream false": '"stream":false',
    "stream null": '"stream":null',
    "stream as a number": '"stream":1',
    "stream options alone": '"stream_options":{"include_usage":true}',
    "vendor words": '"top_k":40,"min_p":0.05,"guided_json":{"a":1},"chat_template_kwargs":{}',
    "long text": f'"x":"{"lorem ipsum " * 2000}"',
    "long array": f'"x":[{",".join(["0.0"] * 3000)}]',
    "many members": ",".join(f'"m{n}":{n}.0' for n in range(300)),
}
PLACED = {
    "in front": '{{{member},"model":"«model»","messages":[]}}',
    "between": '{{"messages":[],{member},"model":"«model»"}}',
    "behind": '{{ "model" : "«model»" , "messages":[],{member} }}\n',
}
MESSAGES = {
    "none": "[]",
    "a text": '[{"role":"user","content":"hi"}]',
    "members in odd order": '[{"content":"hi","name":"n","role":"user"}]',
    "null content": '[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",'
    '"function":{"name":"f","arguments":"{\\"a\\": 1.0}"}}]},'
    '{"role":"tool","tool_call_id":"c","content":""}]',
    "parts": '[{"role":"user","content":[{"type":"text","text":"what"},{"type":"image_url",'
    '"image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"low"}}]}]',
    "a file": '[{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":'
    '"data:application/pdf;base64,JVBERi0="}}]}]',
    "cache marks": '[{"role":"user","content":[{"type":"text","text":"x","cache_control":'
    '{"type":"ephemeral"}}]}]',
    "surrogates": '[{"role":"user","content":"half of \\ud83d, and \\ude00"}]',
    "unknown role": '[{"role":"wizard","content":"hi","extra":[1.0]}]',
    "unknown part": '[{"role":"user","content":[{"type":"hologram","hologram":{"x":1e5}}]}]',
    "a number": "7",
    "an object": "{}",
    "a null": "null",
    "texts": '["a","b"]',
    "nulls": "[null,null]",
    "wrong content": '[{"role":"user","content":12.50}]',
    "a role twice": '[{"role":"user","role":"system","content":"x"}]',
    "deep parameters": '[{"role":"user","content":"x","p":' + "[" * 120 + "]" * 120 + "}]",
    "mixed scripts": '[{"role":"system","content":"Du…"},{"role":"user","content":"日本語で"}]',
}
ODD = (
    request("model alone", '{"model":"«model»"}'),
    request("model alone, spaced", ' \t\r\n{ \n"model"\t:\r"«model»" } \n\n'),
    request("crlf throughout", '{\r\n"model":"«model»",\r\n"messages":[]\r\n}\r\n'),
    request("trailing line end", '{"model":"«model»"}\n'),
    request("model twice", '{"model":"«model»","messages":[],"model":"«model»"}'),
    request("model with an escaped key", '{"m\\u006fdel":"«model»","messages":[]}'),
    request("model behind look-alikes", '{"x":"\\"model\\":\\"x\\"","model":"«model»"}'),
    request("model behind itself as a value", '{"x":"model","model":"«model»"}'),
    request("model beside a longer name", '{"model_id":"model","modelx":1,"model":"«model»"}'),
    request("model in capitals too", '{"MODEL":"x","Model":"y","model":"«model»"}'),
    request("as deep as may be", '{"model":"«model»","x":' + "[" * 127 + "]" * 127 + "}"),
    request("deep objects", '{"model":"«model»","x":' + '{"a":' * 126 + "{}" + "}" * 126 + "}"),
    request("a megabyte", '{"model":"«model»","x":"' + "ü" * 500_000 + '"}'),
)
KNOBS = (
    request("models", '{"model":"«model»",«cut»"models":["gpt-4.1"],«/cut»"x":1.0}'),
    request("models last", '{"x":1.0,"model":"«model»"«cut»,"models":["gpt-4.1"]«/cut»}'),
    request("models first, spaced", '{ «cut»"models" : [ "nano" ] , «/cut»"model":"«model»" }'),
    request("provider", '{«cut»"provider":{"sort":"price"},«/cut»"model":"«model»","x":-0.0}'),
    request(
        "plugins",
        '{"model":"«model»",«cut»"plugins":[{"id":"auto-router"}],«/cut»"y":"\\ud83d"}',
    ),
    request("cache", '{"a":1e0,«cut»"cache":{"no-cache":true},«/cut»"model":"«model»"}'),
    request(
        "several",
        '{«cut»"cache":{"ttl":5},«/cut»"model":"«model»","q":[],'
        '«cut»"provider":{"sort":"latency"},«/cut»"z":"models"}',
    ),
    request(
        "nested ones stay", '{"model":"«model»",«cut»"models":["nano"],«/cut»"x":{"models":["a"]}}'
    ),
)
STREAMED = (
    request("plain", '{«ask»"model":"«model»","messages":[],"stream":true}'),
    request("stream first", '{«ask»"stream":true,"model":"«model»"}'),
    request("spaced", ' {«ask» "stream" : true ,\n"model":"«model»" }\n'),
    request("surrogates", '{«ask»"stream":true,"model":"«model»","x":"\\udead"}'),
    request("twice", '{«ask»"stream":false,"stream":true,"model":"«model»"}'),
    request("numbers beside", '{«ask»"stream":true,"x":1.0,"model":"«model»","y":1E40}'),
    request(
        "with a knob", '{«ask»"stream":true,«cut»"cache":{"no-store":true},«/cut»"model":"«model»"}'
    ),
)
# Streams whose options are the client's own: what is added goes inside.
OPTIONS = (
    ("{}", '{"include_usage":true}'),
    ("{ }", '{"include_usage":true }'),
    ("null", '{"include_usage":true}'),
    ('{"include_usage":false}', '{"include_usage":true}'),
    ('{"include_usage": null }', '{"include_usage": true }'),
    ('{"include_obfuscation":false}', '{"include_usage":true,"include_obfuscation":false}'),
    ('{ "x":1.0 }', '{"include_usage":true, "x":1.0 }'),
    (
        '{"include_usage":false,"include_usage":false}',
        '{"include_usage":true,"include_usage":true}',
    ),
    ('{"x":{"include_usage":0}}', '{"include_usage":true,"x":{"include_usage":0}}'),
    # Already asked for, or not ours to repair.
    ('{"include_usage":true}', '{"include_usage":true}'),
    ('{ "include_usage" : true , "y":[] }', '{ "include_usage" : true , "y":[] }'),
    ("[]", "[]"),
    ('"yes"', '"yes"'),
    ("7.0", "7.0"),
)
REFUSED = {
    "a byte order mark": b'\xef\xbb\xbf{"model":"auto"}',
    "nothing": b"",
    "blanks": b" \n",
    "an array": b'[{"model":"auto"}]',
    "a text": b'"auto"',
    "a null": b"null",
    "two documents": b'{"model":"auto"}{"model":"auto"}',
    "a trailing comma": b'{"model":"auto",}',
    "single quotes": b"{'model':'auto'}",
    "a comment": b'{"model":"auto"/* */}',
    "not a number": b'{"model":"auto","x":NaN}',
    "infinity": b'{"model":"auto","x":-Infinity}',
    "a leading nought": b'{"model":"auto","x":01}',
    "a bare point": b'{"model":"auto","x":.5}',
    "a leading plus": b'{"model":"auto","x":+1}',
    "a raw line end in a text": b'{"model":"auto","x":"a\nb"}',
    "a raw zero byte": b'{"model":"auto","x":"\x00"}',
    "half an escape": b'{"model":"auto","x":"\\u12"}',
    "an unknown escape": b'{"model":"auto","x":"\\x41"}',
    "half a utf-8 sequence": b'{"model":"auto","x":"\xc3"}',
    "an overlong utf-8 sequence": b'{"model":"auto","x":"\xc0\xaf"}',
    "a surrogate in utf-8": b'{"model":"auto","x":"\xed\xa0\xbd"}',
    "utf-16": '{"model":"auto"}'.encode("utf-16"),
    "cut short": b'{"model":"auto","x":[1,2',
    "too deep": b'{"model":"auto","x":' + b"[" * DEEPEST + b"]" * DEEPEST + b"}",
    "far too deep": b'{"model":"auto","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep, with half a surrogate": b'{"model":"auto","y":"\\ud83d","x":'
    + b"[" * DEEPEST
    + b"]" * DEEPEST
    + b"}",
    "a model that is a number": b'{"model":4.1}',
    "a model that is null": b'{"model":null}',
    "an empty model": b'{"model":""}',
    "no model": b'{"messages":[]}',
    "the last model null": b'{"model":"auto","model":null}',
}


def all_requests() -> dict[str, Request]:
    """Every request that is to arrive, by name."""
    found = {
        f"{name}, {where}": request(name, frame.format(member=member))
        for name, member in MEMBERS.items()
        for where, frame in PLACED.items()
    }
    found |= {
        f"messages: {name}": request(name, f'{{"model":"«model»","messages":{text}}}')
        for name, text in MESSAGES.items()
    }
    return found | {shape.name: shape for shape in ODD}
