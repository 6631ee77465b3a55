"""The wire for people and tests: annotated decoding, JSON both ways, and the golden vectors.

`plain` and `vector_check` are plain source that runs on MicroPython, too; the rest is for the host.
"""
