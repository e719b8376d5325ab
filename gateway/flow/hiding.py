"""Takes our own credentials out of what an upstream says: errors like to quote them."""

from gateway.catalog import Deployment


def hidden(text: bytes, deployment: Deployment) -> bytes:
    """An upstream's words without what only it and we may know, however JSON spells a slash."""
    for secret in deployment.secrets():
        if not secret:
            continue
        plain = secret.reveal().encode()
        for spelled in (plain, plain.replace(b"/", b"\\/")):
            if spelled in text:
                text = text.replace(spelled, b"***")
    return text
