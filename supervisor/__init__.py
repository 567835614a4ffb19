"""Gatherer's engine: one supervisor, its limiter, pools and database. Knows no particular API."""

__version__ = "0.1.0"
