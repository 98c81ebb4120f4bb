# The models of crossed.py in lme4, with lmerTest's table and pbkrtest's for the small one:
#   python crossed.py --csv FOLDER; Rscript peers_crossed.R FOLDER [RUNS]
suppressMessages({library(lme4); library(lmerTest)})
given <- commandArgs(TRUE)
runs <- if (length(given) > 1) as.integer(given[2]) else 3L
cpu <- function(call) {
  taken <- replicate(runs, {gc(); before <- proc.time(); call(); sum((proc.time() - before)[c(1, 2)])})
  sprintf("median %.0f ms, minimum %.0f", 1e3 * median(taken), 1e3 * min(taken))
}
models <- c(
  "crossed_1000_x_100" = y ~ x + (1 | subject) + (1 | item),
  "three_crossed_factors" = y ~ x + (1 | s) + (1 | d) + (1 | dept),
  "crossed_unbalanced" = y ~ x + (1 | primary) + (1 | second),
  "nested_four_levels" = y ~ x + (1 | country / site / subject),
  "slopes_by_two_factors" = y ~ x + (1 + x | subject) + (1 + x | item)
)
quick <- lmerControl(calc.derivs = FALSE)
for (name in names(models)) {
  data <- read.csv(file.path(given[1], paste0(name, ".csv")))
  fit <- lme4::lmer(models[[name]], data, control = quick)
  cat(name, "lme4", format(packageVersion("lme4")),
      cpu(function() lme4::lmer(models[[name]], data, control = quick)),
      sprintf("-2 REML log-likelihood %.6f\n", -2 * as.numeric(logLik(fit))))
}
