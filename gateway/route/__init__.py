"""Choosing: which tier, which deployments in which order, and why. Pure: values in, values out."""
