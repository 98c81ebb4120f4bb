"""What a fit lets you say: degrees of freedom, contrasts, LS means, tests."""
