"""How setup.py fits the extension to an SDK. Not installed.

sdk.py finds the SDK, probe.py asks the compiler what its headers declare, tables.py writes what
was found as a C header for the extension, fit.py says what to compile and how to link.
"""
