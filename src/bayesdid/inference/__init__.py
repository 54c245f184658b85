"""From a model to a posterior: engines, gate, store."""
