"""A spec applied to a panel: sample, terms, matrices, effects and priors. No PyMC."""
