"""Bayesian re-analysis of panel difference-in-differences studies."""
