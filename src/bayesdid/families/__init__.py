"""Families of specs beyond one regression: sentences, tables, figures, peers."""
