"""Which model a form names, read along while the form passes.

Only its beginning and its end are kept: clients write a file's fields before or behind the file.
A name inside the file is none, as it stands behind no boundary of the form.
"""

import re

# Fields are short; a file that comes first is between the two ends.
HEAD_BYTES = 16 * 1024
TAIL_BYTES = 4 * 1024
BOUNDARY = re.compile(rb'^multipart/form-data\s*;.*?\bboundary="?([^";,\s]{1,70})', re.IGNORECASE)
# The part's fields may come in any order; its value ends with the line.
FIELD = (
    rb"--%b\r\n(?:[^\r\n]{0,200}\r\n){0,3}?"
    rb"content-disposition: form-data; name=\"?model\"?[ \t]*\r\n"
    rb"(?:[^\r\n]{1,200}\r\n){0,3}\r\n([!-~]{1,128})\r\n"
)


class FormModel:
    """Collects the two ends of one form."""

    __slots__ = ("_field", "_head", "_tail")

    def __init__(self, boundary: bytes) -> None:
        self._field = re.compile(FIELD.replace(b"%b", re.escape(boundary)), re.IGNORECASE)
        self._head = bytearray()
        self._tail = bytearray()

    def see(self, data: bytes) -> None:
        """More of it passes."""
        room = HEAD_BYTES - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data[-TAIL_BYTES:]
        if len(self._tail) > 2 * TAIL_BYTES:
            del self._tail[:-TAIL_BYTES]

    def model(self) -> str:
        """The model it names, or nothing."""
        # What lies between is missing where the form is longer than both.
        found = self._field.search(bytes(self._head + self._tail))
        return found[1].decode("ascii") if found else ""


def form_model(content_type: bytes) -> FormModel | None:
    """A reader for a body of a type; None where it is no form."""
    found = BOUNDARY.match(content_type)
    return FormModel(found[1]) if found else None
