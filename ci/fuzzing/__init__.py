"""Fuzzing of the extension and of the stub library, in parts.

`structured`: notifications by hypothesis, by tests/test_fuzz.py. `mutation`: changed and random
frames through the extension, in a child process. `answers`: the same with what a daemon answers to
MAAPI. `decoder`, `check`: libFuzzer on the stub's decoder, and on the extension's check with it.
"""
