"""What the tests of prompt share."""

import base64
import struct
from typing import Any

from gateway.classify.prompt import Prompt, measure

PNG = (
    "data:image/png;base64,"
    + base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480)).decode()
)


def said(role: str, content: Any, **more: Any) -> Prompt:
    return measure({"messages": [{"role": role, "content": content, **more}]})
