"""What is believed, as a value: priors, parts, and the compiler to PyMC."""
