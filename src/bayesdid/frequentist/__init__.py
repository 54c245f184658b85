"""The same spec by least squares, and the agreement between the two."""
