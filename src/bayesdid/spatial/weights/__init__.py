"""Spatial weights: from files, distances and polygons, matched with a panel's units."""
