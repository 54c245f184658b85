"""From a model to a posterior: plain, collapsed and exact; the convergence gate; the store."""
