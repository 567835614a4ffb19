"""How the world looks as JSON: one file a topic, each function one endpoint.

A body function takes what is asked (`Ask`) and the parts of the path, and returns a `Page`, or None for 404.
Shapes are those of recorded bodies (2019-2026) with today's additions, which public type definitions list
(Pewtro/blizzard-api, 2026); tests/simulator/test_contract.py compares them field by field.
"""
