"""The firmware as the host sees it: sources and literals that are read, compiled and packed, never run."""
