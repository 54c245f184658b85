"""Engines whose draws are independent and whose error is a quadrature's."""
