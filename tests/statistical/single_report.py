"""docs/validity-single.md: what the runs of single_calibrate.py show."""

CALLAWAY = "Callaway-Sant'Anna"
EVENT = "event study, the average after adoption"
EVENT_AT = "event study, two periods after adoption"


def report(f):
    return ""
