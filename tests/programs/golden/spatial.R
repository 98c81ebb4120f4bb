# Written by trialmlm VERSION as the R program of one of its analyses, for double
# programming; it has not been run.
# Model: AVAL ~ ARM * YEARS + sp_exp(YEARS | USUBJID)
# Data: data frame trial with the columns AVAL, ARM, YEARS, USUBJID; trialmlm used 96 rows
# of 40 subjects.
# Estimation: REML; df: satterthwaite; covariance of the estimates: as the df method
# implies.
# How the numbers compare: R's default optimisers stop early, up to 6e-4 standard errors
# from the optimum in estimates and 1e-4 relative in standard errors.
library(mmrm)
library(emmeans)

# The rows used: those without a missing value in a column of the model.
analysis <- trial[c("AVAL", "ARM", "YEARS", "USUBJID")]
analysis <- analysis[complete.cases(analysis), ]
# The order of levels: the first is the reference, visits are in their order.
analysis$ARM <- factor(analysis$ARM, levels = c("Control", "Active"))
analysis$USUBJID <- factor(analysis$USUBJID)

fit <- mmrm(
  AVAL ~ ARM * YEARS + sp_exp(YEARS | USUBJID),
  data = analysis,
  reml = TRUE,
  method = "Satterthwaite",
  vcov = "Asymptotic"
)
summary(fit)
VarCorr(fit)
if (requireNamespace("car", quietly = TRUE)) print(car::Anova(fit, type = "III"))

means <- emmeans(
  fit,
  ~ ARM,
  cov.keep = character(0)
)
summary(means, infer = c(TRUE, TRUE))
summary(contrast(means, "pairwise", adjust = "none"), infer = c(TRUE, TRUE))
