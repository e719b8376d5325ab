"""Forms with files, as far as uploads use them: fields by name, the file with its name."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from gateway.simulate.refusals import Refusal, refuse_missing
from gateway.wire.forms import BOUNDARY

NAME = re.compile(rb'content-disposition:[^\r\n]*?\bname="([^"\r\n]{1,100})"', re.IGNORECASE)
FILENAME = re.compile(rb'\bfilename="([^"\r\n]{0,200})"', re.IGNORECASE)


class File(NamedTuple):
    """A file of a form."""

    name: str
    content: bytes


class Form(NamedTuple):
    """A form's plain fields, and its files."""

    fields: Mapping[str, str]
    files: Mapping[str, File]

    def field(self, name: str) -> str:
        """A field that must be there.

        Raises:
            Refusal: it is not.
        """
        if not self.fields.get(name):
            refuse_missing(name)
        return self.fields[name]

    def file(self, *names: str) -> File:
        """The first file of these names.

        Raises:
            Refusal: there is none.
        """
        found = next((self.files[name] for name in names if name in self.files), None)
        if found is None:
            refuse_missing(names[0])
        return found


def read_form(content_type: bytes, body: bytes) -> Form:
    """Read a form.

    Raises:
        Refusal: it is none.
    """
    boundary = BOUNDARY.match(content_type)
    if boundary is None:
        message = "Invalid Content-Type header. Expected 'multipart/form-data' with a boundary."
        raise Refusal(400, message)
    fields: dict[str, str] = {}
    files: dict[str, File] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1])[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = NAME.search(head)
        if name is None:
            continue
        key = name[1].decode("utf-8", "replace")
        filename = FILENAME.search(head)
        if filename is None:
            fields[key] = content.decode("utf-8", "replace")
        else:
            files[key] = File(filename[1].decode("utf-8", "replace"), content)
    return Form(fields, files)
