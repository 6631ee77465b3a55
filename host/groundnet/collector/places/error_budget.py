"""What the error of a filter's place is made of: new errors, which average out, and common ones, which do not.

What stations say of a thing is wrong in the same direction for as long as the same stations hear it from the same side:
its own antenna, what it is carried in, each station's antenna; and of the far stations only those hear it whose way
happens to be clear. The filter weighs as if errors were new each time, which gives the best place and a much too small
radius. So beside it runs what its weights make of the errors there really are (a consider filter: Schmidt 1966, in
Advances in Control Systems 3; Jazwinski, Stochastic Processes and Filtering Theory, 8.4).
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorBudget:
    """Of a place, along an axis.

    ``new_m2``: variance of errors that nothing shares; ``present_m``: standard deviation of what is in step with the
    next observation's error; ``past_m2``: variance of what was so on sides that the thing has left.
    """

    new_m2: float = 0.0
    present_m: float = 0.0
    past_m2: float = 0.0

    @property
    def variance(self) -> float:
        """Square metres along an axis."""
        return self.new_m2 + self.present_m**2 + self.past_m2

    def moved(self, metres: float, stays_m: float, unknown_m2: float) -> "ErrorBudget":
        """After the thing went on; ``stays_m``: after how many metres errors are others; ``unknown_m2``: whither."""
        fade = math.exp(-metres / stays_m)
        left_m2 = (1 - fade * fade) * self.present_m**2
        return ErrorBudget(self.new_m2 + unknown_m2, fade * self.present_m, self.past_m2 + left_m2)

    def told(self, kept: float, new_m2: float, common_m2: float) -> "ErrorBudget":
        """After an observation with these variances; ``kept`` of the place before it is in the new one."""
        gain = 1 - kept
        return ErrorBudget(
            kept * kept * self.new_m2 + gain * gain * new_m2,
            kept * self.present_m + gain * math.sqrt(common_m2),
            kept * kept * self.past_m2,
        )

    def mixed(self, other: "ErrorBudget", share: float) -> "ErrorBudget":
        """Of two places at one time, the other one with a share: what they have in common adds up as lengths."""
        rest = 1 - share
        return ErrorBudget(
            rest * rest * self.new_m2 + share * share * other.new_m2,
            rest * self.present_m + share * other.present_m,
            rest * rest * self.past_m2 + share * share * other.past_m2,
        )
