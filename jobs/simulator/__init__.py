"""A faithful stand-in for the Blizzard API, and the independent judge of our manners.

It shares no code with the limiter or anything else of the engine. Every request is counted for its client on
CLOCK_MONOTONIC in the turn of the loop that reads its head, before anything else is decided.

    server    HTTP/1.1 on a socket        gateway   what becomes of one request
    limits    windows of one client       clients   ids, secrets, tokens, counting
    faults    scripted misbehaviour       latency   how long an answer takes
    world/    who and what exists         bodies/   how it looks as JSON
    routes    paths → endpoints           answers   status, headers, gzip
"""
