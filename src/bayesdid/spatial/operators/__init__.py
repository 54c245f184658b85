"""What spatial weights do: log-determinants, spectra, moments, impacts."""
