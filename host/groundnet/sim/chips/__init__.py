"""Chip models; each says what it follows of the datasheet, and what only hardware can tell."""
