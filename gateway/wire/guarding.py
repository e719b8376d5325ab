"""What a form refers to of what is stored upstream, found while the form passes.

A form is read more strictly than any server reads it: what two servers could take for different
things is refused, as one of them is the upstream. Of its parts those without a file name are
fields; their values are looked at whole, files are not. A field refers by its name (`file_id`,
`input_reference[file_id]`, `file_ids[]`), or it holds JSON that does.

    delimiter  ─▶ head ─▶ field ─▶ delimiter      a delimiter is CR LF, two hyphens, the boundary
                     └──▶ file  ─▶ delimiter
    last delimiter ─▶ end                         with two more hyphens behind it
"""

import re
from enum import Enum, auto
from typing import NoReturn

from gateway.errors import InvalidValue
from gateway.wire.reader import Unreadable, look
from gateway.wire.stored import NO_IDS, REFERRING, TUNED, Refers, survey

TYPE = re.compile(
    rb'\s*multipart/form-data\s*;\s*boundary=(?:"([^"\\\s]{1,70})"|([^";,\s]{1,70}))\s*',
    re.IGNORECASE,
)
NAMED = re.compile(
    rb'\s*form-data\s*;\s*name=(?:"([^"\\\x00-\x1f]{1,200})"|([\w.\-\[\]]{1,200}))'
    rb'(\s*;\s*filename=(?:"((?:[^"\\\x00-\x1f]|\\["\\])*)"|([\w.\-]+)))?'
    rb"(?:\s*;\s*filename\*=[\w.\-'%]+)?\s*",
    re.IGNORECASE,
)
PLAIN_CODINGS = frozenset({b"binary", b"8bit", b"7bit"})
# Heads are a few lines; a field is a prompt or a session's description at most.
MOST_HEAD, MOST_FIELD = 4 * 1024, 256 * 1024
LAST = b"--"
ENDED = (b"", b"\r\n")


class At(Enum):
    """What comes next."""

    DELIMITER = auto()
    HEAD = auto()
    FIELD = auto()
    FILE = auto()
    END = auto()


class Guard:
    """Reads along in one form; `see` what passes, in any pieces."""

    def __init__(self, boundary: bytes) -> None:
        self._line = b"--" + boundary
        self._left = bytearray(b"\r\n")
        self._at = At.DELIMITER
        self._name = ""
        self._must: list[str] = []
        self._seems: list[str] = []

    def see(self, data: bytes) -> Refers:
        """What the fields that are whole with these bytes refer to.

        Raises:
            InvalidValue: the form could be read in two ways, or a field is too long.
        """
        self._left += data
        while self._step():
            pass
        found = Refers(tuple(self._must), tuple(self._seems))
        self._must.clear()
        self._seems.clear()
        return found

    def _step(self) -> bool:
        """Take one step, if enough is there for it."""
        if self._at is At.DELIMITER:
            return self._delimiter()
        if self._at is At.HEAD:
            return self._head()
        if self._at is At.END:
            if bytes(self._left) not in (*ENDED, b"\r"):
                _refuse("something follows its end")
            return False
        return self._body()

    def _delimiter(self) -> bool:
        left, size = self._left, len(self._line) + 4
        if len(left) < size:
            return False
        begins, follows = left[: size - 2], bytes(left[size - 2 : size])
        if begins != b"\r\n" + self._line or follows not in (b"\r\n", LAST):
            _refuse("a boundary is not where one must be")
        self._at = At.END if follows == LAST else At.HEAD
        # The line end stays: a head without a line is one, too.
        del left[: size if follows == LAST else size - 2]
        return True

    def _head(self) -> bool:
        end = self._left.find(b"\r\n\r\n")
        if end < 0 or end > MOST_HEAD:
            if len(self._left) > MOST_HEAD:
                _refuse("a part's head is too long")
            return False
        head = bytes(self._left[2:end])
        del self._left[: end + 4]
        self._name, is_file = _named(head)
        if is_file and _kind(self._name) is not None:
            _refuse("a file stands where a reference would")
        self._at = At.FILE if is_file else At.FIELD
        return True

    def _body(self) -> bool:
        left, line = self._left, self._line
        at = left.find(line)
        if at < 0:
            if self._at is At.FILE and len(left) > len(line) + 2:
                del left[: -len(line) - 2]
            if len(left) > MOST_FIELD:
                _refuse("a field is too long")
            return False
        if left[max(0, at - 2) : at] != b"\r\n":
            _refuse("a boundary stands within a line")
        if self._at is At.FIELD:
            self._field(bytes(left[: at - 2]))
        del left[: at - 2]
        self._at = At.DELIMITER
        return True

    def _field(self, value: bytes) -> None:
        if len(value) > MOST_FIELD:
            _refuse("a field is too long")
        text = value.decode("utf-8", "surrogateescape").strip()
        if text.startswith(("{", "[")):
            document = b'{"%b":%b}' % (_last(self._name).encode(), value)
            if _is_json(document):
                said = survey(document)
                self._must += said.refers
                self._seems += said.seems
                return
        if (kind := _kind(self._name)) is not None and text not in NO_IDS:
            (self._must if kind == "must" else self._seems).append(text)
        elif self._name == "model" and text.startswith(TUNED):
            self._seems.append(text)


def guard(content_type: bytes) -> Guard:
    """A guard for a form of this type.

    Raises:
        InvalidValue: its boundary is not plain.
    """
    found = TYPE.fullmatch(content_type)
    if found is None:
        _refuse("its content type is more than a boundary")
    return Guard(found[1] or found[2])


def _named(head: bytes) -> tuple[str, bool]:
    """The name of a part, and whether it is a file."""
    said: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or name in said or name != name.strip() or b"\r" in value or b"\n" in value:
            _refuse("a part's head is no plain one")
        said[name] = value
    found = NAMED.fullmatch(said.get(b"content-disposition", b""))
    coding = said.get(b"content-transfer-encoding", b"binary").strip().lower()
    kind = said.get(b"content-type", b"").lower()
    if found is None or coding not in PLAIN_CODINGS:
        _refuse("a part does not say plainly what it is")
    # Some servers take what has an empty file name for a field.
    is_file = bool(found[4] or found[5])
    if not is_file and b"charset" in kind and b"utf-8" not in kind:
        _refuse("a field is not in UTF-8")
    return (found[1] or found[2]).decode("utf-8", "replace").lower(), is_file


def _is_json(text: bytes) -> bool:
    """Whether it is some; a prompt may only begin like it."""
    try:
        look(text)
    except Unreadable:
        return False
    return True


def _last(name: str) -> str:
    """The last part of a name that is a word: of `a[b][0]` it is `b`."""
    words = [word for word in re.split(r"[\[\].]+", name) if word and not word.isdigit()]
    return re.sub(r"\W", "", words[-1]) if words else ""


def _kind(name: str) -> str | None:
    """How a field's value must be taken: it must be the caller's, it may only not be another's."""
    last = _last(name)
    if last in REFERRING:
        return "must"
    return "may" if last == "id" or last.endswith(("_id", "_ids")) else None


def _refuse(why: str) -> NoReturn:
    message = f"The gateway must read what a form refers to, and {why}."
    raise InvalidValue(message)
