"""The scenarios of the truth table, and what each is in words."""

from __future__ import annotations

#: design -> scenario -> what makes values missing, and what becomes of who stops drug
SCENARIOS: dict[str, dict[str, str]] = {
    "ipf_fvc": {
        "default": (
            "as the trial was planned: stopping drug depends on the decline last measured, a "
            "third of those who stop leave, FVC then falls as on placebo, and deaths depend on "
            "the true decline"
        ),
        "null": (
            "as `default`, without any effect of the drug; drug is stopped more often on active"
        ),
        "mnar": (
            "as `default`, but stopping and leaving depend on the current true decline, which "
            "nobody sees"
        ),
        "mcar": "nobody dies; stopping depends on nothing, and FVC goes on as on drug",
        "early_active": (
            "nobody dies; active drug is stopped early and placebo late, by the decline last "
            "measured; FVC goes on as on drug"
        ),
        "early_placebo": "the same the other way round: placebo early, active late",
        "frozen_early_active": "as `early_active`, but FVC stays as at the last visit",
        "frozen_early_placebo": "as `early_placebo`, but FVC stays as at the last visit",
        "off_drug": (
            "nobody dies; active drug is stopped by nearly half, half of whom leave; FVC then "
            "falls as on placebo"
        ),
        "off_drug_at_once": (
            "the same, but FVC loses 120 mL on active when drug is stopped, and then falls as on "
            "drug"
        ),
    },
    "mdd_madrs": {
        "default": (
            "stopping drug depends on the score last measured; all who stop leave, and the "
            "score goes on as on drug"
        ),
        "null": "as `default`, without any effect of the drug",
        "mcar": "stopping depends on nothing; the score goes on as on drug",
        "mnar": (
            "stopping depends on the next score, which nobody sees, and strongly; the score "
            "goes on as on drug"
        ),
        "early_active": (
            "active drug is stopped early and placebo late, by the score last measured; the "
            "score goes on as on drug"
        ),
        "early_placebo": "the same the other way round: placebo early, active late",
        "frozen_early_active": (
            "as `early_active`, but the score stays what it was when last measured"
        ),
        "frozen_early_placebo": "as `early_placebo`, but the score stays what it was",
        "off_drug": (
            "drug is stopped by more than a third, half of whom stay; the score is then what it "
            "would have been on placebo"
        ),
    },
}
