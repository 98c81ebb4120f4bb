"""What a statistician calls: a formula and a data frame in, frames out."""
