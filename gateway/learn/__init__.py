"""Offline: trains and judges the difficulty model. The serving path never imports this room."""
