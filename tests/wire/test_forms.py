"""The model a form names is found wherever its field stands, however the bytes are split."""

import pytest
from hypothesis import given, strategies as st

from gateway.wire.forms import TAIL_BYTES, FormModel, form_model

KIND = b"multipart/form-data; boundary=abc.123"
FIELD = b'--abc.123\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-4o-transcribe\r\n'
FILE = (
    b'--abc.123\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\n%b\r\n"
)
END = b"--abc.123--\r\n"


def reader(kind: bytes = KIND) -> FormModel:
    found = form_model(kind)
    assert found is not None
    return found


def model(form: bytes, sizes: list[int]) -> str:
    seen = reader()
    for size in sizes:
        seen.see(form[:size])
        form = form[size:]
    seen.see(form)
    return seen.model()


@pytest.mark.parametrize("sound", [b"x", b"x" * 5 * TAIL_BYTES, b"x" * 40 * TAIL_BYTES])
@given(sizes=st.lists(st.integers(0, 9_000), max_size=8))
def test_it_is_found_before_and_behind_the_file(sound: bytes, sizes: list[int]) -> None:
    assert model(FIELD + FILE % sound + END, sizes) == "gpt-4o-transcribe"
    assert model(FILE % sound + FIELD + END, sizes) == "gpt-4o-transcribe"


def test_a_name_inside_the_file_is_none() -> None:
    inside = b'\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-4o-mini-transcribe\r\n'

    assert model(FILE % inside + END, []) == ""
    assert model(FILE % inside + FIELD + END, []) == "gpt-4o-transcribe"


def test_fields_of_a_part_come_in_any_order() -> None:
    form = (
        b'--abc.123\r\ncontent-type: text/plain\r\ncontent-disposition: form-data; name="model"\r\n'
        b"content-length: 7\r\n\r\nwhisper\r\n"
    )

    assert model(form, []) == "whisper"


@pytest.mark.parametrize("value", [b"", b"two words", b"x" * 129, "ü".encode()])
def test_what_cannot_be_a_name_is_none(value: bytes) -> None:
    assert model(FIELD.replace(b"gpt-4o-transcribe", value) + END, []) == ""


@pytest.mark.parametrize(
    "kind", [b"", b"application/json", b"multipart/form-data", b"multipart/mixed; boundary=a"]
)
def test_what_is_no_form_is_not_read(kind: bytes) -> None:
    assert form_model(kind) is None


def test_a_boundary_may_be_quoted() -> None:
    seen = reader(b'Multipart/Form-Data; charset=utf-8; boundary="abc.123"')
    seen.see(FIELD)

    assert seen.model() == "gpt-4o-transcribe"
