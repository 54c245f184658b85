"""The models as PyMC writes them, one file per specification."""
