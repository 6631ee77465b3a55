"""Theft cases, who may look and who did, and the papers that come of it."""
