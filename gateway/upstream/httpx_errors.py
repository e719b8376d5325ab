"""httpx's errors in our words: the one place where they are translated.

A lost connection means something else before a reply (another deployment may be tried) than amid
one (the body is cut), so each error has two translations. Their texts are not passed on: they may
quote a proxy's address with its password.
"""

from collections.abc import Mapping

import httpx

from gateway.errors import (
    UpstreamBroken,
    UpstreamError,
    UpstreamTimeout,
    UpstreamTruncated,
    UpstreamUnreachable,
)

Meaning = tuple[type[UpstreamError], type[UpstreamError]]

UNREACHABLE: Meaning = (UpstreamUnreachable, UpstreamUnreachable)
LOST: Meaning = (UpstreamUnreachable, UpstreamTruncated)
BROKEN: Meaning = (UpstreamBroken, UpstreamBroken)
LATE: Meaning = (UpstreamTimeout, UpstreamTimeout)

MEANINGS: Mapping[type[Exception], Meaning] = {
    httpx.TransportError: LOST,
    httpx.TimeoutException: LATE,
    httpx.ConnectTimeout: LATE,
    httpx.ReadTimeout: LATE,
    httpx.WriteTimeout: LATE,
    httpx.PoolTimeout: LATE,
    httpx.NetworkError: LOST,
    httpx.ConnectError: UNREACHABLE,
    httpx.ReadError: LOST,
    httpx.WriteError: LOST,
    httpx.CloseError: LOST,
    httpx.ProxyError: UNREACHABLE,
    httpx.UnsupportedProtocol: UNREACHABLE,
    httpx.ProtocolError: BROKEN,
    httpx.LocalProtocolError: BROKEN,
    httpx.RemoteProtocolError: BROKEN,
}

WORDS: Mapping[type[UpstreamError], str] = {
    UpstreamUnreachable: "could not be reached, or was lost before a reply",
    UpstreamTruncated: "ended its reply before it was whole",
    UpstreamBroken: "sent no valid reply",
    UpstreamTimeout: "took too long",
}


def translate(error: Exception, name: str, *, begun: bool, ended: bool) -> UpstreamError:
    """Say what an error of httpx (or h2, which httpx lets through) means.

    `begun`: the reply's head was in. `ended`: the far side had closed; what looks like bad framing
    is then a reply that was cut.
    """
    before, amid = next((MEANINGS[kind] for kind in type(error).__mro__ if kind in MEANINGS), LOST)
    meaning = amid if begun else before
    if ended and meaning is UpstreamBroken:
        meaning = LOST[begun]
    # The kind of error is httpx's class name: it helps whoever looks into it and quotes nothing.
    return meaning(f"deployment {name!r} {WORDS[meaning]} ({type(error).__name__})")
