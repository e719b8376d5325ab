"""A request's head: what a deployment fixes is written once, the rest is joined to it.

Pure. Refuses whatever could end a line early: a path or a header that holds a line break never
reaches the wire, and no caller's header replaces the address, the key or the framing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from gateway import __version__
from gateway.call import Headers
from gateway.catalog import AUTHORIZATION, Deployment, Secret
from gateway.errors import InvalidValue, UpstreamUnreachable
from gateway.ports import Request
from gateway.wire.headers import OURS

# What is said when the caller says nothing else.
DEFAULTS: Mapping[bytes, bytes] = {
    b"content-type": b"application/json",
    b"accept": b"application/json",
    b"user-agent": f"tiergate/{__version__}".encode(),
}
# Endpoints of Azure's older API that lie below a deployment; all others take the name in the body.
AZURE_DEPLOYED = frozenset(
    {"/completions", "/chat/completions", "/embeddings", "/images/generations", "/images/edits"}
    | {"/audio/transcriptions", "/audio/translations", "/audio/speech"}
)
# Spelled header fields kept per deployment; at most 64 KB each, usually half of one.
HEADS_REMEMBERED = 64
DEFAULT_LINES = {name: b"%b: %b\r\n" % (name, value) for name, value in DEFAULTS.items()}
ALL_DEFAULTS = b"".join(DEFAULT_LINES.values())
# What else is said says itself what its body is.
FEW_DEFAULTS = {n: line for n, line in DEFAULT_LINES.items() if n != b"content-type"}
# Without a body these still say that it has no bytes.
BODIES = frozenset({"POST", "PUT", "PATCH"})
CHUNKED = b"transfer-encoding: chunked\r\n"


@dataclass(frozen=True, slots=True)
class Origin:
    """One far end: calls to the same origin share connections."""

    secure: bool
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as the `host` header spells them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def header_lines(
    headers: Headers,
    own: frozenset[bytes] = frozenset(),
    defaults: Mapping[bytes, bytes] = DEFAULT_LINES,
) -> bytes:
    """The caller's headers that may go on, and the defaults they do not replace.

    `own` are the names of those that the deployment sets itself.

    Raises:
        InvalidValue: when one holds a line break or a zero byte.
    """
    names = {name for name, _ in headers} | own
    pieces = [line for name, line in defaults.items() if name not in names]
    count = len(pieces)
    for name, value in headers:
        if name.lower() not in OURS and name.lower() not in own:
            pieces += (name, b": ", value, b"\r\n")
            count += 1
    lines = b"".join(pieces)
    if lines.count(b"\n") != count or lines.count(b"\r") != count or b"\0" in lines:
        message = "a request header holds a line break"
        raise InvalidValue(message)
    return lines


def _one_line(value: Secret, name: str) -> str:
    text = value.reveal()
    if not (text.isascii() and text.isprintable()):
        message = f"deployment {name!r} has a header that cannot be sent"
        raise UpstreamUnreachable(message)
    return text


class Heading:
    """The heads of one deployment's requests.

    Raises:
        UpstreamUnreachable: when the deployment's address or key cannot be sent. The message
            names the deployment, never the address or the key.
    """

    __slots__ = (
        *(
            "_azure",
            "_base",
            "_fixed",
            "_lines",
            "_own",
            "_path",
            "_query",
            "_start",
            "_target",
            "origin",
        ),
    )

    def __init__(self, deployment: Deployment) -> None:
        try:
            parts = urlsplit(deployment.base_url)
            host = (parts.hostname or "").encode("idna").decode()
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            host, port = "", 0
        if not host or not _is_plain(deployment.base_url) or parts.scheme not in {"http", "https"}:
            message = f"deployment {deployment.name!r} has no usable address"
            raise UpstreamUnreachable(message)
        key = deployment.key.reveal()
        if not _is_plain(key):
            message = f"deployment {deployment.name!r} has a key that no header can hold"
            raise UpstreamUnreachable(message)
        self.origin = Origin(parts.scheme == "https", host, port)
        self._base = parts.path.rstrip("/")
        self._start = f"POST {self._base}".encode()
        self._query = parts.query
        named = deployment.upstream_model or deployment.model.name
        self._azure = f"/deployments/{quote(named, safe='')}" if deployment.azure else ""
        # A client sends the same fields with every call.
        self._lines: dict[Headers, bytes] = {}
        # Nearly all calls go to one path: its target is kept.
        self._path, self._target = "", b""
        lines = [" HTTP/1.1", f"host: {self.origin.authority}", "accept-encoding: identity"]
        if key and deployment.key_header == AUTHORIZATION:
            lines.append(f"authorization: Bearer {key}")
        elif key:
            lines.append(f"{deployment.key_header}: {key}")
        self._own = frozenset(name.encode() for name, _ in deployment.headers)
        for name, value in deployment.headers:
            lines.append(f"{name}: {_one_line(value, deployment.name)}")
        self._fixed = "".join(f"{line}\r\n" for line in lines).encode()

    def target(self, path: str) -> str:
        """The path below the base URL, with the base URL's own query if it has one.

        Raises:
            InvalidValue: when the path cannot stand in a request line.
        """
        if not path.startswith("/") or not _is_plain(path):
            message = "the path holds characters that no address can hold"
            raise InvalidValue(message)
        if self._azure and path.partition("?")[0] in AZURE_DEPLOYED:
            path = f"{self._azure}{path}"
        if self._query:
            return f"{path}{'&' if '?' in path else '?'}{self._query}"
        return path

    def write(self, path: str, headers: Headers, length: int) -> bytes:
        """The whole head of a request with a body of `length` bytes."""
        if path != self._path or not path:
            self._target = self.target(path).encode()
            self._path = path
        lines = self._lines.get(headers)
        if lines is None:
            lines = header_lines(headers, self._own) if headers or self._own else ALL_DEFAULTS
            if len(self._lines) >= HEADS_REMEMBERED:
                self._lines.clear()
            self._lines[headers] = lines
        return b"%b%b%b%bcontent-length: %d\r\n\r\n" % (
            self._start,
            self._target,
            self._fixed,
            lines,
            length,
        )

    def write_for(self, request: Request) -> bytes:
        """The whole head of a request: of `write`'s kind, or of any other."""
        if request.feed is None and request.method == "POST":
            return self.write(request.path, request.headers, len(request.body))
        if not (request.method.isascii() and request.method.isalpha()):
            message = "the method is none"
            raise InvalidValue(message)
        start = f"{request.method} {self._base}{self.target(request.path)}".encode()
        lines = header_lines(request.headers, self._own, FEW_DEFAULTS)
        return b"%b%b%b%b\r\n" % (start, self._fixed, lines, _framing(request))


def _framing(request: Request) -> bytes:
    if request.upgrade:
        return f"connection: Upgrade\r\nupgrade: {request.upgrade}\r\n".encode()
    if request.feed is not None and request.feed.length is None:
        return CHUNKED
    length = len(request.body) if request.feed is None else request.feed.length or 0
    return b"content-length: %d\r\n" % length if length or request.method in BODIES else b""
