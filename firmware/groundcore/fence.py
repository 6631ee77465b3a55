"""A circle that an animal or a vehicle must not leave: two good positions outside are an alarm.

Outside means by more than the position's own accuracy, so drift at the edge is none.
"""

from groundcore.position import distance_m

# States.
INSIDE = "inside"
LEAVING = "leaving"  # one position outside
OUTSIDE = "outside"

# What comes in.
IN = "in"
OUT = "out"

# What comes out.
NOTHING = 0
LEFT = 1
BACK = 2

TRANSITIONS = {
    (INSIDE, IN): (INSIDE, NOTHING),
    (INSIDE, OUT): (LEAVING, NOTHING),
    (LEAVING, IN): (INSIDE, NOTHING),
    (LEAVING, OUT): (OUTSIDE, LEFT),
    (OUTSIDE, IN): (INSIDE, BACK),
    (OUTSIDE, OUT): (OUTSIDE, NOTHING),
}


class Fence:
    """One circle.

    Args:
        lat_e7, lon_e7: its centre.
        radius_m: its radius.
    """

    def __init__(self, lat_e7: int, lon_e7: int, radius_m: int):
        self.state = INSIDE
        self._lat_e7 = lat_e7
        self._lon_e7 = lon_e7
        self._radius_m = radius_m

    def take(self, place) -> int:
        """A believed position (position.Position): LEFT, BACK or NOTHING."""
        way_m = distance_m(self._lat_e7, self._lon_e7, place.lat_e7, place.lon_e7)
        if way_m > self._radius_m + place.accuracy_m:
            side = OUT
        elif way_m < self._radius_m:
            side = IN
        else:
            return NOTHING
        self.state, out = TRANSITIONS[self.state, side]
        return out
