"""Named contrasts of a posterior, and the posterior from published tables alone."""
