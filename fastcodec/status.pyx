"""What became of a row: the numbers that every kernel of the codec returns."""
