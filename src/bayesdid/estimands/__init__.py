"""What is asked of a posterior: contrasts, event studies, robust sets, evidence."""
