"""What is read of a prompt: the same head and tail that serving reads."""

from gateway.classify.difficulty import excerpt

__all__ = ["excerpt"]
