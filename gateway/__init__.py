"""Tiergate: an OpenAI-compatible gateway that answers every call with the smallest good model."""

__version__ = "0.1.0"
