"""Chains of a PyMC model by nutpie."""
