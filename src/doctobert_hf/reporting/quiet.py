"""Whether the libraries' own bars and warnings are kept from the user; the commands set it."""

ON = False
