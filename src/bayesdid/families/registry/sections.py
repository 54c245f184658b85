"""Sections of the report in which the families that ship stand; a family may bring its own."""

from __future__ import annotations

from bayesdid.families.registry.family import Section

DYNAMICS = Section(
    "dynamics",
    "Dynamics",
    "Effects over the time since adoption. One TWFE coefficient averages effects of different "
    "cohorts and times, some with negative weight. Here every cohort and event time has its own "
    "effect, partially pooled, or every event time has one.",
    10,
)
SYNERGY = Section(
    "synergy",
    "The path of what policies do together",
    "Overlapping policies: effects by state, and what they do beyond their sum by time since the "
    "second adoption.",
    20,
)
MECHANISMS = Section(
    "mechanisms",
    "Mediation and moderation",
    "How the effect comes about and for whom it is larger, jointly and with what would overturn "
    "it.",
    30,
)
HETEROGENEITY = Section(
    "heterogeneity",
    "Heterogeneity",
    "One model per grouping instead of one regression per group: differences between groups have "
    "posteriors of their own.",
    40,
)
SPATIAL = Section(
    "spatial",
    "Spillovers",
    "What the treatment of some does to others: spatial models with exact effects, and how far "
    "spillovers reach. Effects depend on W and on how it is normalised.",
    50,
)
ROBUSTNESS = Section(
    "robustness",
    "Robustness",
    "Other errors and likelihoods, violated parallel trends, an instrument, matching, and every "
    "combination of defensible choices.",
    60,
)
PLACEBO = Section(
    "placebo",
    "Placebo assignments",
    "The treatment is given to units at random and its posterior computed under flat priors and "
    "i.i.d. errors. "
    "Permuted deals the adoption periods to other units, keeping arms and timing; random lets as "
    "many units as were treated adopt in random periods. If i.i.d. errors were right, 5 % of "
    "placebo effects would be significant at 5 %.",
    65,
)
# what has no analysis of its own: its fits, and what is not fitted, stand elsewhere on the page
EFFECTS = Section("effects", "Effects", "", 5)
METHODS = Section("methods", "Methods", "", 80)
