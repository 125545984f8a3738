"""Signed outcomes: the keys that sign them, and the claims that they make."""
