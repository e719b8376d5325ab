"""The tape: what was written is read again, whole or not at all."""

from pathlib import Path

from hypothesis import given, settings, strategies as st

from gateway.store.embedded.tape import HEAD, Mark, Tape

START = Mark(7, 0, 0)
SIZE = 4096


def read(path: Path, mark: Mark, size: int = SIZE) -> list[bytes]:
    tape = Tape(path, mark, size)
    found = list(tape.read())
    tape.close()
    return found


def test_what_was_written_is_read_from_the_mark_on(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "tape", START, SIZE)
    tape.write(b"one")
    mark = tape.mark()
    tape.write(b"")
    tape.write(b"three")

    assert read(tmp_path / "tape", START) == [b"one", b"", b"three"]
    assert read(tmp_path / "tape", mark) == [b"", b"three"]
    tape.close()


def test_a_new_tape_has_nothing_on_it(tmp_path: Path) -> None:
    assert read(tmp_path / "tape", START) == []


def test_reading_ends_where_something_is_not_as_it_was_written(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "tape", START, SIZE)
    for word in (b"one", b"two", b"three"):
        tape.write(word)
    tape.close()
    file = tmp_path / "tape"
    whole = file.read_bytes()
    second = HEAD.size + len(b"one")

    for place in range(second, second + HEAD.size + len(b"two")):
        torn = bytearray(whole)
        torn[place] ^= 0x40
        file.write_bytes(torn)
        assert read(file, START) == [b"one"]


def test_another_salt_reads_nothing_and_a_renewed_tape_forgets(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "tape", START, SIZE)
    tape.write(b"one")
    assert read(tmp_path / "tape", START._replace(salt=8)) == []

    tape.renew(9)
    mark = tape.mark()
    tape.write(b"two")
    tape.close()

    assert mark.number == 2
    assert read(tmp_path / "tape", mark) == [b"two"]


def test_without_room_nothing_is_overwritten_and_reading_ends_before_the_gap(
    tmp_path: Path,
) -> None:
    tape = Tape(tmp_path / "tape", START, 256)
    for number in range(20):
        tape.write(b"%d" % number * 30)
    assert read(tmp_path / "tape", START, 256) == [b"%d" % number * 30 for number in range(5)]

    # As when the database has all of them.
    tape.freed = tape.mark().at
    mark = tape.mark()
    tape.write(b"later")
    assert mark.number == 20
    assert read(tmp_path / "tape", mark, 256) == [b"later"]
    assert tape.write(b"x" * 300) == tape.mark().at
    tape.close()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 90), st.booleans()), max_size=60), st.integers(200, 260))
def test_round_and_round_what_is_not_freed_is_read_again(
    tmp_path_factory: object, written: list[tuple[int, bool]], size: int
) -> None:
    path = Path(f"{getattr(tmp_path_factory, 'getbasetemp')()}") / "round"  # noqa: B009 - untyped
    path.unlink(missing_ok=True)
    tape = Tape(path, START, size)
    mark, kept, gap = START, list[bytes](), False
    for number, (length, frees) in enumerate(written):
        data = bytes([number]) * length
        before = tape.mark().at
        # Of what had no room nothing after it is read, until the database has it.
        gap = gap or tape.write(data) == before
        if not gap:
            kept.append(data)
        if frees:
            mark, kept, gap = tape.mark(), [], False
            tape.freed = mark.at

    assert read(path, mark, size) == kept
    tape.close()
