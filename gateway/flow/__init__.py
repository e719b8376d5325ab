"""Keeping the order: the life of a call, from its arrival to its books. `life.py` is the list."""
