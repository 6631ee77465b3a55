"""Which bench: virtual boards, a rig, or the record of a rig."""

from pathlib import Path

from groundnet.bench.interface import Bench
from groundnet.bench.sim_bench import SimBench

SIM = "sim"


def open_bench(
    target: str,
    seed: int,
    record: str | None = None,
    replay: str | None = None,
    individuals: bool = False,
) -> Bench:
    """The bench that was asked for.

    Args:
        target: "sim", or the path of a rig's description.
        seed: of a virtual bench.
        individuals: the seed makes the boards of a virtual bench differ as soldered ones do.
        record, replay: file of a rig's exchanges, to be written or to answer for it.

    Raises GroundnetError for a rig that cannot be opened.
    """
    if target == SIM:
        return SimBench(seed, individuals=individuals)
    from groundnet.bench.rig_bench import RigBench

    return RigBench.open(Path(target), Path(record) if record else None, Path(replay) if replay else None)
