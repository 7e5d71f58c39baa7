"""What there is: each notification with its keys, and which releases have it.

The public modules enums and payloads follow from it, and so do the build's tables and the docs.
"""
