# Shared by the programs of this folder: the data sets, and how numbers are written.
# Run from this folder; R_LIBS may name a library with mmrm.
suppressPackageStartupMessages({
  library(jsonlite)
  library(numDeriv)
})

sha256 <- function(path) strsplit(system2("sha256sum", path, stdout = TRUE), " ")[[1]][1]

read_trial <- function() {
  d <- read.csv("../data/trial.csv", stringsAsFactors = FALSE)
  d$ARM <- factor(d$ARM, c("PBO", "ACT"))
  d$STRATUM <- factor(d$STRATUM)
  d$SEX <- factor(d$SEX)
  d$AVISIT <- factor(d$AVISIT, paste("Week", c(12, 24, 36, 52)))
  d$USUBJID <- factor(d$USUBJID)
  d
}

read_two_way <- function() {
  d <- read.csv("../data/two_way.csv", stringsAsFactors = FALSE)
  d$ARM <- factor(d$ARM, c("PBO", "ACT"))
  for (name in c("PARAMCD", "AVISIT", "USUBJID")) d[[name]] <- factor(d[[name]])
  d
}

read_growth <- function() {
  d <- read.csv("../data/growth.csv", stringsAsFactors = FALSE)
  d$SEX <- factor(d$SEX, c("M", "F"))
  d$AGEF <- factor(d$AGE)
  d$CHILD <- factor(d$CHILD, unique(d$CHILD))
  d
}

# a named list of numbers, in the order given
numbers <- function(values, names) as.list(setNames(as.numeric(values), names))

# the lower triangle of a symmetric matrix by its row and column names
entries <- function(m) {
  at <- which(lower.tri(m, diag = TRUE), arr.ind = TRUE)
  numbers(m[at], paste(rownames(m)[at[, 2]], rownames(m)[at[, 1]], sep = " | "))
}

write_reference <- function(file, program, fits, packages, data, about) {
  versions <- lapply(setNames(packages, packages), function(p) as.character(packageVersion(p)))
  record <- list(
    about = about,
    program = program,
    R = R.version.string,
    packages = versions,
    data = lapply(setNames(data, data), function(f) sha256(file.path("../data", f))),
    fits = fits
  )
  text <- toJSON(record, digits = NA, auto_unbox = TRUE, pretty = 1, na = "null")
  writeLines(text, file)
}
