"""The token encoder of this installation: in C where that was built, else tiktoken."""

try:
    from gateway.classify._swift import Encoder, total
except ImportError:
    from gateway.classify.portable import Encoder, total  # type: ignore[assignment]  # the same

__all__ = ["COMPILED", "Encoder", "total"]

COMPILED = Encoder.__module__ == "gateway.classify._swift"
