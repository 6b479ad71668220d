"""Rephrasing: two requests a chunk (a plan of genre and audience, then the rewrite), and gates."""
