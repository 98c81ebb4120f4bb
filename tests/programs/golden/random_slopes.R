# Written by trialmlm VERSION as the R program of one of its analyses, for double
# programming; it has not been run.
# Model: AVAL ~ log(BASE) + ARM * YEARS + (1 + YEARS | USUBJID)
# Data: data frame trial with the columns AVAL, BASE, ARM, YEARS, USUBJID; trialmlm used
# 96 rows of 40 subjects.
# Estimation: REML; df: kenward-roger; covariance of the estimates: as the df method
# implies.
# How the numbers compare: R's default optimisers stop early, up to 6e-4 standard errors
# from the optimum in estimates and 1e-4 relative in standard errors.
# pbkrtest takes the expected information, this analysis the observed: standard errors and
# df differ slightly; fit information="expected" to compare.
library(lme4)
library(lmerTest)
library(emmeans)

# The rows used: those without a missing value in a column of the model.
analysis <- trial[c("AVAL", "BASE", "ARM", "YEARS", "USUBJID")]
analysis <- analysis[complete.cases(analysis), ]
# The order of levels: the first is the reference, visits are in their order.
analysis$ARM <- factor(analysis$ARM, levels = c("Control", "Active"))
analysis$USUBJID <- factor(analysis$USUBJID)

fit <- lmer(
  AVAL ~ log(BASE) + ARM * YEARS + (1 + YEARS | USUBJID),
  data = analysis,
  REML = TRUE
)
summary(fit, ddf = "Kenward-Roger")
VarCorr(fit)
anova(fit, type = "III", ddf = "Kenward-Roger")

means <- emmeans(
  fit,
  ~ ARM,
  at = list(YEARS = 0.46),
  cov.keep = character(0),
  lmer.df = "kenward-roger",
  pbkrtest.limit = nrow(analysis),
  lmerTest.limit = nrow(analysis)
)
summary(means, infer = c(TRUE, TRUE))
summary(contrast(means, "pairwise", adjust = "none"), infer = c(TRUE, TRUE))
