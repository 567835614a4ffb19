"""Processes: how many, alive, replaced."""
