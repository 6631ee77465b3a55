"""Bundles: a role's firmware in one signed file, and the keys that sign it."""
