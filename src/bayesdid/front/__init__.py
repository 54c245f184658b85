"""From a data frame to a posterior in one line: the study, the panel and the fit that it means."""
