"""The hinge: models write results, tables read them, and nothing else passes between."""
