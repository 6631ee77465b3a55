"""groundnet: firmware tools, virtual bench and collector of an open anti-theft radio network."""

__version__ = "0.1.0"
