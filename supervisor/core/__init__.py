"""Leaves: standard library (and the msgpack codec) only, used by all."""
