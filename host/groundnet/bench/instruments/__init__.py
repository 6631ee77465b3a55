"""Drivers of a rig's instruments, one kind per file. Each is given an open line by its constructor."""
