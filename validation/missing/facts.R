# Numbers of R that the tests of missing-data patterns, dropout and ranks compare with.
# Rscript facts.R DATA > facts.json, DATA the folder of the study data
library(survival)
options(digits = 15)
folder <- commandArgs(trailingOnly = TRUE)[1]

# Little (1988): maximum likelihood by EM, run until nothing moves; d2 subject by subject
em <- function(Y) {
  mu <- colMeans(Y, na.rm = TRUE)
  S <- diag(apply(Y, 2, var, na.rm = TRUE))
  repeat {
    sums <- 0 * mu; squares <- 0 * S
    for (i in seq_len(nrow(Y))) {
      o <- !is.na(Y[i, ]); y <- Y[i, ]; C <- 0 * S
      if (any(!o)) {
        B <- S[!o, o, drop = FALSE] %*% solve(S[o, o])
        y[!o] <- mu[!o] + B %*% (Y[i, o] - mu[o])
        C[!o, !o] <- S[!o, !o] - B %*% S[o, !o]
      }
      sums <- sums + y; squares <- squares + y %o% y + C
    }
    new <- sums / nrow(Y); S2 <- squares / nrow(Y) - new %o% new
    moved <- max(abs(new - mu), abs(S2 - S))
    mu <- new; S <- S2
    if (moved < 1e-13) return(list(mu = mu, S = S))
  }
}
little <- function(Y) {
  Y <- scale(as.matrix(Y)); Y <- Y[rowSums(!is.na(Y)) > 0, ]
  ml <- em(Y)
  pattern <- apply(!is.na(Y), 1, function(o) paste(as.integer(o), collapse = ""))
  d2 <- 0; df <- -ncol(Y)
  for (rows in split(seq_len(nrow(Y)), pattern)) {
    o <- !is.na(Y[rows[1], ])
    apart <- colMeans(Y[rows, o, drop = FALSE]) - ml$mu[o]
    d2 <- d2 + length(rows) * c(t(apart) %*% solve(ml$S[o, o]) %*% apart); df <- df + sum(o)
  }
  list(statistic = d2, df = df, p_value = pchisq(d2, df, lower.tail = FALSE))
}

trial <- read.csv(file.path(folder, "antidepressant_data.csv"))
trial <- trial[order(trial$PATIENT, trial$VISIT), ]
wide <- reshape(trial[c("PATIENT", "THERAPY", "BASVAL", "VISIT", "CHANGE")], direction = "wide",
                idvar = c("PATIENT", "THERAPY", "BASVAL"), timevar = "VISIT")
changes <- paste0("CHANGE.", 4:7)

# dropout: a row per subject and visit after which the subject may leave
at_risk <- do.call(rbind, lapply(split(trial, trial$PATIENT), function(s) {
  v <- 4:min(6, max(s$VISIT))
  data.frame(visit = v, last = sapply(v, function(k) tail(s$CHANGE[s$VISIT <= k], 1)),
             leaves = as.integer(v == max(s$VISIT)), arm = s$THERAPY[1], base = s$BASVAL[1])
}))
model <- glm(leaves ~ last + factor(visit) + arm + base, binomial, at_risk,
             control = glm.control(epsilon = 1e-14))
# once more from the optimum: glm's standard errors are of the weights before its last step
coefs <- coef(summary(update(model, start = coef(model))))

# Kaplan-Meier, by arm and of the file with ties
curve <- function(fit) {
  s <- summary(fit, censored = TRUE)
  of <- function(x) if (is.null(s$strata)) list(all = x) else split(x, sub("^.*=", "", s$strata))
  lapply(list(time = s$time, at_risk = s$n.risk, events = s$n.event, survival = s$surv,
              std_error = s$std.err, ci_low = s$lower, ci_high = s$upper), of)
}
km <- function(formula, data) curve(survfit(formula, data, conf.type = "log-log"))
leukaemia <- data.frame(
  time = c(6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35,
           1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23),
  event = c(1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, rep(1, 21)),
  arm = rep(c("6-MP", "Placebo"), each = 21))
medians <- summary(survfit(Surv(time, event) ~ arm, leukaemia, conf.type = "log-log"))$table

# rank ANCOVA: deaths below all, the earliest lowest; the residuals of the ranks by mean scores
seven <- trial[trial$VISIT == 7, ]
every <- wide
# who left after visit 4 is taken for dead at day 7 x visit of leaving; others without 7 excluded
lastv <- tapply(trial$VISIT, trial$PATIENT, max)[as.character(every$PATIENT)]
every$died <- ifelse(lastv <= 5, 7 * lastv, NA)
every <- every[!is.na(every$CHANGE.7) | !is.na(every$died), ]
outcome <- ifelse(is.na(every$died), -every$CHANGE.7, -1e6 + every$died)  # lower HAMD is better
n <- nrow(every)
y <- rank(outcome) / (n + 1); x <- rank(every$BASVAL) / (n + 1)
arm <- factor(every$THERAPY, c("PLACEBO", "DRUG"))
ancova <- summary(lm(y ~ x + arm))
mean_scores <- function(r, arm, stratum) {
  apart <- 0; variance <- 0
  for (rows in split(seq_along(r), stratum)) {
    a <- r[rows]; one <- arm[rows] == "DRUG"; m <- length(rows)
    apart <- apart + sum(a[one]) - sum(one) * mean(a)
    variance <- variance + sum(one) * sum(!one) / (m * (m - 1)) * sum((a - mean(a))^2)
  }
  q <- apart^2 / variance
  list(statistic = q, df = 1, p_value = pchisq(q, 1, lower.tail = FALSE))
}
sex <- trial$GENDER[match(every$PATIENT, trial$PATIENT)]
ranked <- function(v, g) ave(v, g, FUN = function(u) rank(u) / (length(u) + 1))
ys <- ranked(outcome, sex); xs <- ranked(every$BASVAL, sex)
residual <- ave(seq_along(ys), sex, FUN = function(k) residuals(lm(ys[k] ~ xs[k])))
ancova_s <- summary(lm(ys ~ xs + arm + sex))
row_of <- function(s) list(estimate = unname(s$coefficients["armDRUG", 1]),
                           std_error = unname(s$coefficients["armDRUG", 2]), df = s$df[2],
                           p_value = unname(s$coefficients["armDRUG", 4]), n = n)

text <- function(x) {
  if (is.list(x)) {
    paste0("{", paste(sprintf("\"%s\": %s", names(x), vapply(x, text, "")), collapse = ",\n"), "}")
  } else {
    one <- if (is.character(x)) sprintf("\"%s\"", x) else
      ifelse(is.na(x), "null", sprintf("%.15g", x))
    if (length(x) > 1) paste0("[", paste(one, collapse = ", "), "]") else one
  }
}
cat(text(list(
  software = list(R = paste(R.version$major, R.version$minor, sep = "."),
                  survival = as.character(packageVersion("survival"))),
  little = list(
    airquality = little(airquality), antidepressant = little(wide[changes]),
    with_baseline = little(wide[c(changes, "BASVAL")]),
    DRUG = little(wide[wide$THERAPY == "DRUG", changes]),
    PLACEBO = little(wide[wide$THERAPY == "PLACEBO", changes])),
  dropout_model = list(estimate = unname(coefs[, 1]), std_error = unname(coefs[, 2]),
                       p_value = unname(coefs[, 4]), deviance = deviance(model)),
  kaplan_meier = km(Surv(time, event) ~ arm, leukaemia),
  median = list(estimate = unname(medians[, "median"]), ci_low = unname(medians[, "0.95LCL"]),
                ci_high = unname(medians[, "0.95UCL"])),
  rank_ancova = list(ranks = row_of(ancova), strata_ranks = row_of(ancova_s),
                     mean_scores = mean_scores(residuals(lm(y ~ x)), arm, rep(1, n)),
                     strata_mean_scores = mean_scores(residual, arm, sex))
)), "\n")
