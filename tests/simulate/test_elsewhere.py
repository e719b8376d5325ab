"""Every other endpoint of the simulation, as the official client sees it."""

import base64
import json
import struct
from itertools import pairwise
from typing import Any

import openai
import pytest

from gateway.simulate import shelf
from gateway.simulate.refusals import Refusal
from tests.simulate.world import ask, send


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_texts_alike_get_vectors_alike(client: openai.OpenAI) -> None:
    said = ["the cat sat on the mat", "a cat sat on a mat", "tax law of Peru"]
    made = client.embeddings.create(model="any", input=said)
    one, two, three = (each.embedding for each in made.data)

    assert cosine(one, one) == pytest.approx(1)
    assert cosine(one, two) > 0.4 > 0.2 > cosine(one, three)
    assert made.usage.prompt_tokens == made.usage.total_tokens > 0


def test_a_vector_is_the_same_packed_and_as_short_as_wanted(client: openai.OpenAI) -> None:
    fields: Any = {"model": "any", "input": [1, 2, 3], "dimensions": 16}
    plain = client.embeddings.create(encoding_format="float", **fields)
    packed: Any = client.embeddings.create(encoding_format="base64", **fields)

    raw = base64.b64decode(packed.data[0].embedding)
    assert struct.unpack("<16f", raw) == pytest.approx(plain.data[0].embedding)
    assert plain.usage.prompt_tokens == 3


def test_a_legacy_completion_streams_what_it_says(client: openai.OpenAI) -> None:
    fields: Any = {"model": "any", "prompt": ["Explain tides.", "Hi"], "max_tokens": 9, "n": 2}
    whole = client.completions.create(echo=True, **fields)
    options: Any = {"include_usage": True}
    texts = [""] * 4
    chunks = list(client.completions.create(stream=True, stream_options=options, **fields))
    for chunk in chunks[:-1]:
        texts[chunk.choices[0].index] += chunk.choices[0].text

    asked = ["Explain tides."] * 2 + ["Hi"] * 2
    assert [a + t for a, t in zip(asked, texts, strict=True)] == [
        each.text for each in whole.choices
    ]
    assert whole.choices[0].finish_reason == "length"
    assert chunks[-1].usage == whole.usage


def test_a_verdict_knows_violence(client: openai.OpenAI) -> None:
    made = client.moderations.create(input=["I love you", "I will kill you"])

    assert [each.flagged for each in made.results] == [False, True]
    assert made.results[1].categories.violence


def test_a_picture_is_a_picture(client: openai.OpenAI) -> None:
    made = client.images.generate(model="any", prompt="a cat", n=2, size="256x256")
    edited = client.images.edit(model="any", prompt="a dog", n=1, image=("a.png", b"x"))

    assert made.data is not None
    assert made.usage is not None
    shown = base64.b64decode(made.data[0].b64_json or "")
    assert shown.startswith(b"\x89PNG")
    assert struct.unpack(">II", shown[16:24]) == (256, 256)
    assert len(made.data) == 2
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    assert edited.data is not None


@pytest.mark.parametrize(
    ("kind", "begin"), [("mp3", b"\xff\xfb"), ("wav", b"RIFF"), ("pcm", b"\0\0")]
)
def test_speech_is_a_sound_file(client: openai.OpenAI, kind: Any, begin: bytes) -> None:
    made = client.audio.speech.create(model="m", voice="alloy", input="Hi", response_format=kind)

    assert made.content.startswith(begin)


def test_a_transcript_says_how_much_was_heard(client: openai.OpenAI) -> None:
    file = ("talk.wav", b"\0" * 40_000)
    short: Any = client.audio.transcriptions.create(model="whisper-1", file=file)
    tokens: Any = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=file)
    text: Any = client.audio.transcriptions.create(model="w", file=file, response_format="text")
    long: Any = client.audio.transcriptions.create(
        model="w", file=file, response_format="verbose_json"
    )

    assert short.text.startswith("[simulated]")
    assert (short.usage.type, short.usage.seconds) == ("duration", 3)
    assert tokens.usage.total_tokens == tokens.usage.input_tokens + tokens.usage.output_tokens
    assert text.strip() == tokens.text
    assert long.duration == 3


def test_speech_is_translated_from_a_form_that_another_client_wrote(port: int) -> None:
    lines = [
        b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1',
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
        b"--x--\r\n",
    ]
    kind = "multipart/form-data; boundary=x"
    raw = send(port, "POST", "/v1/audio/translations", b"\r\n".join(lines), content_type=kind)

    assert json.loads(raw.body)["usage"] == {"type": "duration", "seconds": 1}


def test_a_file_is_kept_until_it_is_deleted(client: openai.OpenAI) -> None:
    made = client.files.create(file=("a.txt", b"one\r\n--two"), purpose="user_data")

    assert client.files.content(made.id).content == b"one\r\n--two"
    assert client.files.retrieve(made.id) == made
    assert made.id in [each.id for each in client.files.list()]
    assert client.files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.content(made.id)


def test_a_batch_answers_each_line(client: openai.OpenAI) -> None:
    url = "/v1/chat/completions"
    lines: list[Any] = [
        {"custom_id": "a", "method": "POST", "url": url, "body": ask("Hi", stream=True)},
        {"custom_id": "b", "method": "POST", "url": url, "body": {**ask("Hi"), "model": "gpt-0"}},
        {"custom_id": "c", "method": "POST", "url": "/v1/embeddings", "body": {}},
    ]
    content = "\n".join(map(json.dumps, lines)).encode() + b"\n{"
    file = client.files.create(file=("in.jsonl", content), purpose="batch")
    made = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    done: Any = client.batches.retrieve(made.id)
    good = json.loads(client.files.content(done.output_file_id).content)
    bad = [json.loads(each) for each in client.files.content(done.error_file_id).iter_lines()]

    assert (made.status, done.status) == ("validating", "completed")
    assert (done.request_counts.completed, done.request_counts.failed) == (1, 3)
    assert good["response"]["body"]["object"] == "chat.completion"
    assert done.usage.total_tokens == good["response"]["body"]["usage"]["total_tokens"]
    assert [each["response"]["status_code"] for each in bad] == [404, 400, 400]
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(made.id)


def test_a_conversation_holds_its_items(client: openai.OpenAI) -> None:
    said: Any = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
    made = client.conversations.create(items=said[:1], metadata={"a": "b"})
    added: Any = client.conversations.items.create(made.id, items=said[1:])
    listed: Any = client.conversations.items.list(made.id, order="asc").data

    assert [each.content[0].text for each in listed] == ["Hi", "Ho"]
    again: Any = client.conversations.items.retrieve(added.data[0].id, conversation_id=made.id)
    assert again.content[0].text == "Ho"
    assert client.conversations.update(made.id, metadata={"c": "d"}).metadata == {"c": "d"}
    assert client.conversations.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.conversations.items.list(made.id)


def test_a_vector_store_finds_the_beginnings_of_its_files(client: openai.OpenAI) -> None:
    file = client.files.create(file=("a.txt", b"Tides rise."), purpose="assistants")
    made = client.vector_stores.create(name="mine", file_ids=[file.id])
    found = client.vector_stores.search(made.id, query="tides").data

    assert found[0].content[0].text == "Tides rise."
    assert client.vector_stores.files.list(made.id).data[0].vector_store_id == made.id
    assert client.vector_stores.update(made.id, name="yours").name == "yours"
    assert client.vector_stores.files.delete(file.id, vector_store_id=made.id).deleted
    assert client.vector_stores.search(made.id, query="tides").data == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_completion_is_stored_if_that_is_asked(client: openai.OpenAI, stream: bool) -> None:
    fields = ask(f"Store {stream}", store=True, metadata={"a": "b"}, stream=stream)
    reply: Any = client.chat.completions.create(**fields)
    name = next(each.id for each in reply) if stream else reply.id
    kept = client.chat.completions.retrieve(name)
    messages = client.chat.completions.messages.list(name).data

    assert kept.choices[0].message.content
    assert [each.content for each in messages] == [f"Store {stream}"]
    assert name in [each.id for each in client.chat.completions.list()]
    changed: Any = client.chat.completions.update(name, metadata={"c": "d"})
    assert changed.metadata == {"c": "d"}
    assert client.chat.completions.delete(name).deleted


def test_tokens_of_a_response_are_counted_beforehand(client: openai.OpenAI) -> None:
    counted = client.responses.input_tokens.count(model="small", input="What is inflation?")
    reply: Any = client.responses.create(model="small", input="What is inflation?")

    assert counted.input_tokens == reply.usage.input_tokens


def test_lists_come_in_pages(client: openai.OpenAI) -> None:
    made = client.conversations.create(items=[{"role": "user", "content": "x"}] * 3)
    pages = client.conversations.items.list(made.id, limit=2)

    assert len(pages.data) == 2
    assert pages.has_more
    names = [each.id for each in pages]
    assert len(set(names)) == 3
    assert all(a != b for a, b in pairwise(names))


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/embeddings", {"model": "m"}, 400),
        ("POST", "/embeddings", {"input": "a"}, 400),
        ("POST", "/embeddings", {"model": "m", "input": []}, 400),
        ("POST", "/embeddings", {"model": "m", "input": [True]}, 400),
        ("POST", "/embeddings", {"model": "m", "input": "a", "dimensions": 10**9}, 400),
        ("POST", "/embeddings", {"model": "m", "input": "a", "dimensions": "9"}, 400),
        ("POST", "/embeddings", b"[1]", 400),
        ("POST", "/completions", {"prompt": "a"}, 400),
        ("POST", "/completions", {"model": "m", "prompt": {}}, 400),
        ("POST", "/completions", {"model": "m", "max_tokens": "1"}, 400),
        ("POST", "/completions", {"model": "m", "max_tokens": 10**9}, 400),
        ("POST", "/completions", {"model": "m", "n": 0}, 400),
        ("POST", "/completions", {"model": "m", "n": 999}, 400),
        ("POST", "/moderations", {"model": "m"}, 400),
        ("POST", "/images/generations", {"prompt": 1}, 400),
        ("POST", "/images/generations", {"prompt": "a", "size": "9x9"}, 400),
        ("POST", "/images/generations", {"prompt": "a", "stream": True}, 400),
        ("POST", "/images/nothing", {"prompt": "a"}, 404),
        ("POST", "/audio/speech", {"model": "m", "input": "a" * 5000, "voice": "v"}, 400),
        ("POST", "/audio/speech", {"model": "m", "input": "a"}, 400),
        ("POST", "/audio/transcriptions", {"model": "m"}, 400),
        ("POST", "/files", b"rubbish", 400),
        ("POST", "/batches", {"endpoint": "/v1/responses"}, 400),
        ("POST", "/conversations", {"items": 1}, 400),
        ("POST", "/conversations", {"items": [{}] * 21}, 400),
        ("POST", "/conversations", {"metadata": []}, 400),
        ("POST", "/vector_stores/vs_0/search", {"query": "a"}, 404),
        ("POST", "/vector_stores/vs_0/files", {"file_id": "a"}, 404),
        ("PUT", "/files", {"a": 1}, 405),
        ("GET", "/nothing/at/all", None, 404),
    ],
)
def test_what_makes_no_sense_is_refused(
    port: int, method: str, path: str, body: object, status: int
) -> None:
    raw = send(port, method, f"/v1{path}", body, content_type="application/json")

    assert raw.status == status
    assert sorted(json.loads(raw.body)["error"]) == ["code", "message", "param", "type"]


def test_the_oldest_goes_where_too_much_is_stored() -> None:
    kept = shelf.Shelf()
    for number in range(shelf.MOST_STORED + 1):
        kept.put("/files", {"id": f"file-{number}"})

    assert len(kept.all("/files")) == shelf.MOST_STORED
    with pytest.raises(Refusal):
        kept.find("/files", "file-0")
