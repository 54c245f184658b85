"""Consistency of a study's published numbers with each other."""
