"""Fuzzing of the extension and of the stub library, in three parts.

`structured`: notifications by hypothesis, by tests/test_fuzz.py. `mutation`: changed and random
frames through the extension, in a child process. `decoder`: libFuzzer on the stub's decoder.
"""
