"""Figures: every claim of speed as a ratio, measured in one run against a program that does the same for less."""
