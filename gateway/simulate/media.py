"""Pictures and sounds that say nothing: plain images, silence; both real files of their kind."""

import struct
import zlib
from random import Random

from gateway.simulate.refusals import refuse_value

SIZES = ("1024x1024", "1024x1536", "1536x1024", "256x256", "512x512", "1024x1792", "1792x1024")
SOUNDS = {"mp3": b"audio/mpeg", "wav": b"audio/wav", "pcm": b"audio/pcm"}
RATE = 24_000
# MPEG-1 layer III, 128 kbit/s, 44.1 kHz, one channel: a frame of nothing is silence.
MP3_FRAME = b"\xff\xfb\x90\xc4" + bytes(413)
MP3_SECONDS = 1152 / 44_100


def picture(size: str, dice: Random) -> bytes:
    """A PNG of one colour.

    Raises:
        Refusal: no such size.
    """
    if size not in SIZES:
        refuse_value("size", f"Invalid value: '{size[:40]}'. Supported: {', '.join(SIZES)}.")
    width, height = map(int, size.split("x"))
    # One bit a pixel, all of the one colour there is.
    rows = zlib.compress((b"\0" * (width // 8 + 1)) * height, 1)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)),
        (b"PLTE", dice.randbytes(3)),
        (b"tEXt", b"Comment\0simulated"),
        (b"IDAT", rows),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def silence(kind: str, seconds: float) -> bytes:
    """A sound file.

    Raises:
        Refusal: a kind that is not simulated.
    """
    if kind not in SOUNDS:
        message = f"The simulation makes {', '.join(SOUNDS)} only, not '{kind[:40]}'."
        refuse_value("response_format", message)
    if kind == "mp3":
        return MP3_FRAME * max(1, round(seconds / MP3_SECONDS))
    samples = bytes(2 * round(seconds * RATE))
    if kind == "pcm":
        return samples
    form = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    inside = b"WAVEfmt " + struct.pack("<I", 16) + form
    inside += b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(inside)) + inside
