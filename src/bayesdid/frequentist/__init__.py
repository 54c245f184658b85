"""The same designs by least squares, and how the posteriors agree with it."""
