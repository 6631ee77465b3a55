"""The install point: its registry of devices, and the operation that gives a device its identity."""
