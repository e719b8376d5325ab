"""Keys as text: made, read from requests, checked, and never shown."""

import re

import pytest
from hypothesis import given, strategies as st

from gateway.access import token
from tests.access.fakes import Dice, made

RANDOM = Dice(7)(token.RANDOM_BYTES)
KEY = re.compile(r"tg-[a-z2-7]{10}-[a-z2-7]{40}")


@given(st.binary(min_size=token.RANDOM_BYTES, max_size=token.RANDOM_BYTES))
def test_every_key_that_is_made_can_be_read_and_proves_itself(randomness: bytes) -> None:
    issued = token.issue(randomness)
    credential = issued.key.reveal().encode()

    assert KEY.fullmatch(issued.key.reveal())
    assert token.parse(credential) == issued.kept.id
    assert token.kept(credential, issued.kept.salt) == issued.kept
    assert token.read_kept(token.spell_kept(issued.kept)) == issued.kept


def test_the_same_randomness_makes_the_same_key_and_other_randomness_another() -> None:
    assert token.issue(RANDOM) == token.issue(RANDOM)
    assert token.issue(RANDOM).key != token.issue(Dice(8)(token.RANDOM_BYTES)).key


def test_the_secret_has_at_least_160_bits_and_takes_all_its_randomness() -> None:
    secrets = {
        token.issue(RANDOM[:at] + bytes([RANDOM[at] ^ 1]) + RANDOM[at + 1 :]).key.reveal()[14:]
        for at in range(token.ID_BYTES, token.ID_BYTES + token.SECRET_BYTES)
    }

    assert token.SECRET_BYTES * 8 >= 160
    assert len(secrets | {token.issue(RANDOM).key.reveal()[14:]}) == token.SECRET_BYTES + 1


def test_a_replaced_key_keeps_its_id() -> None:
    issued = token.issue(RANDOM, "abcdefgh23")

    assert issued.kept.id == "abcdefgh23"
    assert issued.key.reveal().startswith("tg-abcdefgh23-")


def test_too_little_randomness_makes_no_key() -> None:
    with pytest.raises(ValueError, match="48 random bytes"):
        token.issue(b"short")


def test_equal_keys_with_other_salt_have_other_digests() -> None:
    credential = token.issue(RANDOM).key.reveal().encode()

    assert token.digest(credential, bytes(16)) != token.digest(credential, bytes(15) + b"\1")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"tg-",
        b"sk-abcdefghij-" + b"a" * 40,
        b"tg-abcdefghij-" + b"a" * 39,
        b"tg-abcdefghij-" + b"a" * 41,
        b"tg-abcdefghij-" + b"A" * 40,
        b"tg-abcdefghi1-" + b"a" * 40,
        b"tg-abcdefghij_" + b"a" * 40,
        b"tg-abcdefghij-" + b"a" * 40 + b"\n",
        b"TG-abcdefghij-" + b"a" * 40,
        "tg-äbcdefghi-".encode() + b"a" * 40,
    ],
)
def test_what_is_no_key_of_ours_is_none(text: bytes) -> None:
    assert token.parse(text) is None


@given(st.binary(max_size=80))
def test_any_bytes_can_be_parsed(text: bytes) -> None:
    assert token.parse(text) is None


def test_only_the_key_itself_proves_it() -> None:
    record, key = made()

    assert token.proves(key, record)
    for at in range(len(key)):
        other = key[:at] + bytes([key[at] ^ 1]) + key[at + 1 :]
        assert not token.proves(other, record)
    assert not token.proves(b"", record)


@pytest.mark.parametrize(
    "text", ["", "abc", "abcdefghij.00.00", "ABCDEFGHIJ." + "0" * 32 + "." + "0" * 64]
)
def test_what_is_no_digest_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match="tiergate keys create NAME --settings") as refused:
        token.read_kept(text)

    assert len(text) < 4 or text not in str(refused.value)


def test_what_is_no_key_has_no_digest() -> None:
    with pytest.raises(ValueError, match="no key of this gateway"):
        token.kept(b"sk-abc", bytes(16))


OURS = b"tg-abcdefghij-" + b"a" * 40


@pytest.mark.parametrize(
    ("fields", "credential"),
    [
        ({b"authorization": b"Bearer " + OURS}, OURS),
        ({b"authorization": b"bearer " + OURS}, OURS),
        ({b"authorization": b"BEARER   " + OURS + b"  "}, OURS),
        ({b"authorization": b"Bearer sk-abc"}, b"sk-abc"),
        ({b"authorization": b"Basic dXNlcjpwYXNz"}, b""),
        ({b"authorization": b"Bearer"}, b""),
        ({b"authorization": OURS}, b""),
        ({b"authorization": b""}, b""),
        ({b"api-key": OURS}, OURS),
        ({b"x-api-key": OURS}, OURS),
        ({b"x-api-key": b"sk-ant-abc"}, b"sk-ant-abc"),
        ({b"api-key": b"a", b"x-api-key": b"b"}, b"a"),
        ({b"authorization": b"Bearer sk-abc", b"api-key": OURS}, OURS),
        ({b"authorization": b"Bearer " + OURS, b"x-api-key": b"sk-abc"}, OURS),
        ({b"authorization": b"Basic abc", b"api-key": b"sk-abc"}, b"sk-abc"),
        ({b"host": b"gateway"}, b""),
        ({}, b""),
    ],
)
def test_a_credential_is_read_from_the_fields_that_clients_use(
    fields: dict[bytes, bytes], credential: bytes
) -> None:
    assert token.presented(fields) == credential


def test_nothing_of_a_key_shows_in_a_repr() -> None:
    issued = token.issue(RANDOM)
    shown = repr(issued) + repr(issued.kept)

    assert issued.key.reveal() not in shown
    assert issued.key.reveal()[14:] not in shown
    assert repr(issued.kept.salt) not in shown
    assert repr(issued.kept.digest) not in shown
