"""Compiled codec for Mobile IPv4 and RADIUS."""
