# Written by trialmlm VERSION as the R program of one of its analyses, for double
# programming; it has not been run.
# Model: AVAL ~ BASE * AVISIT + SEX + ARM * AVISIT + ar1h(AVISIT | ARM / USUBJID)
# Data: data frame trial with the columns AVAL, BASE, AVISIT, SEX, ARM, USUBJID; trialmlm
# used 96 rows of 40 subjects.
# Estimation: REML; df: kenward-roger; covariance of the estimates: as the df method
# implies.
# How the numbers compare: R's default optimisers stop early, up to 6e-4 standard errors
# from the optimum in estimates and 1e-4 relative in standard errors.
# mmrm's vcov = "Kenward-Roger" differentiates V twice in parameters of its own and is not
# SAS's DDFM=KR, nor kenward-roger here; "Kenward-Roger-Linear", written here, is
# DDFM=KR(LINEAR) and leaves out the second derivatives that this analysis has: standard
# errors and df differ; fit df="kenward-roger-linear" to compare.
library(mmrm)
library(emmeans)

# The rows used: those without a missing value in a column of the model.
analysis <- trial[c("AVAL", "BASE", "AVISIT", "SEX", "ARM", "USUBJID")]
analysis <- analysis[complete.cases(analysis), ]
# The order of levels: the first is the reference, visits are in their order.
analysis$AVISIT <- factor(analysis$AVISIT, levels = c("Week 8", "Week 16", "Week 24"))
analysis$SEX <- factor(analysis$SEX, levels = c("F", "M"))
analysis$ARM <- factor(analysis$ARM, levels = c("Control", "Active"))
analysis$USUBJID <- factor(analysis$USUBJID)

fit <- mmrm(
  AVAL ~ BASE * AVISIT + SEX + ARM * AVISIT + ar1h(AVISIT | ARM/USUBJID),
  data = analysis,
  reml = TRUE,
  method = "Kenward-Roger",
  vcov = "Kenward-Roger-Linear"
)
summary(fit)
VarCorr(fit)
if (requireNamespace("car", quietly = TRUE)) print(car::Anova(fit, type = "III"))

means <- emmeans(
  fit,
  ~ ARM | AVISIT,
  cov.keep = character(0)
)
summary(means, infer = c(TRUE, TRUE))
summary(contrast(means, "pairwise", adjust = "none"), infer = c(TRUE, TRUE))

means <- emmeans(
  fit,
  ~ SEX,
  cov.keep = character(0)
)
summary(means, infer = c(TRUE, TRUE))
summary(contrast(means, "pairwise", adjust = "none"), infer = c(TRUE, TRUE))
