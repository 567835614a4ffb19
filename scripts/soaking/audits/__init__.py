"""What must hold after a soak. Each file has functions that return findings, one sentence each; none = all is well.

They see files, tables, counts and processes, nothing of the program's own opinion, so that a doctored one of each
makes them object (tests/soaking/).
"""
