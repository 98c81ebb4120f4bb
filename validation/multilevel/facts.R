# Numbers of other programs that the tests of agreement and variance shares compare with.
# Rscript facts.R DATA > facts.json, DATA the folder of the study data
library(lme4)
library(psych)
library(performance)
options(digits = 15)
folder <- commandArgs(trailingOnly = TRUE)[1]
read <- function(name) read.csv(file.path(folder, name), stringsAsFactors = TRUE)

sf <- read("shrout_fleiss.csv")
wide <- matrix(sf$rating[order(sf$target, sf$judge)], 6, 4, byrow = TRUE)
icc <- function(alpha) {
  found <- ICC(wide, lmer = FALSE, alpha = alpha)$results
  lapply(split(found[, -1], found$type), as.list)
}

r2 <- function(fit) {
  found <- r2_nakagawa(fit)
  list(marginal = unname(found$R2_marginal), conditional = unname(found$R2_conditional))
}
icc_adjusted <- function(fit) {
  found <- performance::icc(fit)
  list(adjusted = found$ICC_adjusted, unadjusted = found$ICC_unadjusted)
}
sleep <- read("sleepstudy.csv"); sleep$Subject <- factor(sleep$Subject)
ortho <- read("orthodont.csv"); ortho$age_c <- ortho$age - 11
exam <- read("exam.csv"); exam$school <- factor(exam$school)

fits <- list(
  sleepstudy_slope = lmer(Reaction ~ Days + (Days | Subject), sleep),
  sleepstudy_intercept = lmer(Reaction ~ Days + (1 | Subject), sleep),
  orthodont_slope = lmer(distance ~ age_c * Sex + (age_c | Subject), ortho),
  exam_value_added = lmer(normexam ~ standLRT + (1 | school), exam)
)
text <- function(x) {
  if (is.list(x)) {
    paste0("{", paste(sprintf("\"%s\": %s", names(x), vapply(x, text, "")), collapse = ", "), "}")
  } else if (is.character(x)) sprintf("\"%s\"", x) else sprintf("%.15g", x)
}
versions <- lapply(c(psych = "psych", lme4 = "lme4", performance = "performance"),
                   function(name) as.character(packageVersion(name)))
cat(text(list(
  software = c(list(R = paste(R.version$major, R.version$minor, sep = ".")), versions),
  shrout_fleiss_95 = icc(0.05), shrout_fleiss_90 = icc(0.10),
  r2_nakagawa = lapply(fits, r2), icc = lapply(fits, icc_adjusted)
)), "\n")
