"""Drawing from densities in a few dimensions: tables, importance, quadrature."""
