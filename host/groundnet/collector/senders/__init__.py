"""Whose beacon it is: rotating ids, the windows in which they are looked for, and the clocks of the tags."""
