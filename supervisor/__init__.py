"""Gatherer's engine: one supervisor, its limiter, pools and database. Knows no particular API."""
