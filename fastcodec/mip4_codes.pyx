"""Codes, kinds and flags of Mobile IPv4 notifications and extensions, as Python sees them."""
