"""Files in, ADaM rules, windows, derivations: from data sets to analysis sets."""
