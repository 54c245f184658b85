"""Panels that could have produced what a study prints: drawn, moved onto the printed numbers."""
