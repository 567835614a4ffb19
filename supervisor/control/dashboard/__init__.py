"""The dashboard at `/`: a page without a build step, and the stream that keeps it true.

assets.py    the files of `static/`, compressed once
history.py   the last minutes, second by second, for the charts
stream.py    GET /events: one status a second, made once for all open pages
"""
