"""Spatial weights, log-determinants, impacts: arrays only."""
