# Written by trialmlm VERSION as the R program of one of its analyses, for double
# programming; it has not been run.
# Model: AVAL ~ BASE + C(ARM, Treatment('Active'))
# Data: data frame trial with the columns AVAL, BASE, ARM; trialmlm used 27 rows.
# Estimation: least squares; df: residual; covariance of the estimates: as the df method
# implies.
# drop1() tests each term that no other contains, as Type III.
library(emmeans)

# The rows used: those without a missing value in a column of the model.
analysis <- trial[c("AVAL", "BASE", "ARM")]
analysis <- analysis[complete.cases(analysis), ]
# The order of levels: the first is the reference, visits are in their order.
analysis$ARM <- factor(analysis$ARM, levels = c("Control", "Active"))
contrasts(analysis$ARM) <- contr.treatment(levels(analysis$ARM), base = 2)

fit <- lm(
  AVAL ~ BASE + ARM,
  data = analysis
)
summary(fit)
drop1(fit, test = "F")

means <- emmeans(
  fit,
  ~ ARM,
  cov.keep = character(0)
)
summary(means, infer = c(TRUE, TRUE))
summary(contrast(means, "pairwise", adjust = "none"), infer = c(TRUE, TRUE))
