"""Commonplace: one store of memories behind every memory protocol that agents already speak."""

__version__ = "0.1.0"
