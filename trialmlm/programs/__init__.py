"""An analysis written as the equivalent SAS or R program, for double programming."""
