"""Tables and figures that reports are made of."""
