# Written by trialmlm VERSION as the R program of one of its analyses, for double
# programming; it has not been run.
# Model: AVAL ~ BASE * AVISIT + SEX + ARM * AVISIT + toeph(AVISIT | ARM / USUBJID)
# Data: data frame trial with the columns AVAL, BASE, AVISIT, SEX, ARM, USUBJID, W;
# trialmlm used 96 rows of 40 subjects.
# Estimation: ML; df: between-within; covariance of the estimates: CR2.
# How the numbers compare: R's default optimisers stop early, up to 6e-4 standard errors
# from the optimum in estimates and 1e-4 relative in standard errors.
library(mmrm)
library(emmeans)

# The rows used: those without a missing value in a column of the model.
analysis <- trial[c("AVAL", "BASE", "AVISIT", "SEX", "ARM", "USUBJID", "W")]
analysis <- analysis[complete.cases(analysis), ]
# The order of levels: the first is the reference, visits are in their order.
analysis$AVISIT <- factor(analysis$AVISIT, levels = c("Week 8", "Week 16", "Week 24"))
analysis$SEX <- factor(analysis$SEX, levels = c("F", "M"))
analysis$ARM <- factor(analysis$ARM, levels = c("Control", "Active"))
analysis$USUBJID <- factor(analysis$USUBJID)

fit <- mmrm(
  AVAL ~ BASE * AVISIT + SEX + ARM * AVISIT + toeph(AVISIT | ARM/USUBJID),
  data = analysis,
  weights = analysis$W,
  reml = FALSE,
  method = "Between-Within",
  vcov = "Empirical-Bias-Reduced"
)
summary(fit)
VarCorr(fit)
if (requireNamespace("car", quietly = TRUE)) print(car::Anova(fit, type = "III"))

means <- emmeans(
  fit,
  ~ ARM | AVISIT,
  weights = "proportional",
  cov.keep = character(0)
)
summary(means, infer = c(TRUE, TRUE))
summary(contrast(means, "trt.vs.ctrl", ref = 1, adjust = "none"), infer = c(TRUE, TRUE))
