"""The checks of an installation: is it the package that was built, and are its numbers right."""
