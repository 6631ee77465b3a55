"""The stations: who may speak, who is kept out and why, what they cover."""
