# CPU time of the tasks of test_speed.py in R: mmrm (where it is installed), nlme and lme4.
#
#     Rscript benchmarks/peers.R DIR [RUNS] [slow]
#
# DIR holds fev_data.csv and bcva_data.csv. `slow` adds what takes mmrm half a minute or nine
# gigabytes: Kenward-Roger and the sandwich on BCVA, one call each. The unstructured covariance is
# gls's general correlation with a variance for each visit, and lmer's correlated visit effects with
# a residual that it cannot tell apart.

given <- commandArgs(trailingOnly = TRUE)
if (length(given) < 1) stop("give the folder that holds fev_data.csv and bcva_data.csv")
runs <- if (length(given) > 1) as.integer(given[[2]]) else 5L
slow <- "slow" %in% given

read <- function(name, response) {
  data <- read.csv(file.path(given[[1]], name), stringsAsFactors = TRUE)
  data <- data[!is.na(data[[response]]), ]
  data$USUBJID <- factor(data$USUBJID)
  data$AVISIT <- factor(data$AVISIT, unique(as.character(sort(data$AVISIT))))
  data
}
fev <- read("fev_data.csv", "FEV1")
fev$SEX <- factor(fev$SEX, levels = c("Male", "Female"))
bcva <- read("bcva_data.csv", "BCVA_CHG")
models <- list(
  fev = list(data = fev, fixed = "FEV1 ~ RACE + SEX + ARMCD * AVISIT"),
  bcva = list(data = bcva, fixed = "BCVA_CHG ~ BCVA_BL + RACE + ARMCD * AVISIT")
)

with_mmrm <- function(model, ..., means = FALSE) {
  formula <- as.formula(paste(model$fixed, "+ us(AVISIT | USUBJID)"))
  fit <- mmrm::mmrm(formula, data = model$data, ...)
  summary(fit)$coefficients
  if (means) {
    found <- emmeans::emmeans(fit, ~ ARMCD | AVISIT)
    as.data.frame(found)
    as.data.frame(pairs(found))
  }
  fit
}

with_gls <- function(model) {
  fit <- nlme::gls(
    as.formula(model$fixed),
    data = model$data,
    correlation = nlme::corSymm(form = ~ as.integer(AVISIT) | USUBJID),
    weights = nlme::varIdent(form = ~ 1 | AVISIT)
  )
  summary(fit)$tTable
  fit
}

with_lmer <- function(model) {
  fit <- lme4::lmer(
    as.formula(paste(model$fixed, "+ (0 + AVISIT | USUBJID)")),
    data = model$data,
    control = lme4::lmerControl(check.nobs.vs.nRE = "ignore", calc.derivs = FALSE)
  )
  summary(fit)$coefficients
  fit
}

tasks <- list(
  "nlme::gls, table" = list("fev", with_gls, runs),
  "lme4::lmer, table, no df" = list("fev", with_lmer, runs)
)
if (requireNamespace("mmrm", quietly = TRUE)) {
  linear <- function(model) {
    with_mmrm(
      model, method = "Kenward-Roger", vcov = "Kenward-Roger-Linear", means = TRUE
    )
  }
  empirical <- function(model) with_mmrm(model, method = "Residual", vcov = "Empirical")
  tasks <- c(tasks, list(
    "mmrm, Satterthwaite table" = list("fev", with_mmrm, runs),
    "mmrm, Kenward-Roger-Linear, table, emmeans" = list("fev", linear, runs),
    "mmrm, CR0 table, residual df" = list("fev", empirical, runs),
    "mmrm, Satterthwaite table, BCVA" = list("bcva", with_mmrm, max(1L, runs %/% 2L))
  ))
  if (slow) {
    tasks <- c(tasks, list(
      "mmrm, Kenward-Roger-Linear, table, emmeans, BCVA" = list("bcva", linear, 0L),
      "mmrm, CR0 table, residual df, BCVA" = list("bcva", empirical, 0L)
    ))
  }
}

cpu_ms <- function(call, model) {
  spent <- system.time(fit <- suppressWarnings(suppressMessages(call(model))), gcFirst = TRUE)
  list(ms = 1000 * sum(spent[c("user.self", "sys.self")]), fit = fit)
}

peak_mb <- function() {
  status <- readLines("/proc/self/status")
  as.numeric(gsub("[^0-9]", "", grep("VmHWM", status, value = TRUE))) / 1024
}

measured <- function(name) {
  task <- tasks[[name]]
  model <- models[[task[[1]]]]
  first <- cpu_ms(task[[2]], model)
  ms <- vapply(seq_len(task[[3]]), function(i) cpu_ms(task[[2]], model)$ms, numeric(1))
  ms <- if (length(ms)) ms else first$ms
  data.frame(
    task = name,
    first_ms = round(first$ms, 1),
    median_ms = round(median(ms), 1),
    min_ms = round(min(ms), 1),
    peak_mb = if (file.exists("/proc/self/status")) round(peak_mb()) else NA,
    minus2_reml = format(-2 * as.numeric(logLik(first$fit)), digits = 12)
  )
}

cat(R.version.string, "\n")
for (name in c("mmrm", "emmeans", "nlme", "lme4")) {
  if (requireNamespace(name, quietly = TRUE)) cat(name, as.character(packageVersion(name)), "\n")
}
options(width = 200)
print(do.call(rbind, lapply(names(tasks), measured)), row.names = FALSE)
