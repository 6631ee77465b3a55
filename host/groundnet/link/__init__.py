"""The serial link to a device: ports, frames, sessions and typed operations."""
