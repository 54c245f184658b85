"""PyMC models, one file per specification. The only package, with two engines, to import pymc."""
