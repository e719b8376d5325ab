"""The composition root: the only room that names concrete adapters. Importing it does nothing."""

from gateway.app.driving import drive
from gateway.app.dry import explain
from gateway.app.root import demo
from gateway.app.serving import serve
from gateway.app.stores import open_store

__all__ = ["demo", "drive", "explain", "open_store", "serve"]
