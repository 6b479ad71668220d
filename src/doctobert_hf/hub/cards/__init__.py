"""Cards: kinds, templates, front matter, and the records that they are made of."""
