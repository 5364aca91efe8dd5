"""``python -m perennial.simulate``: write the demo client anew."""

import argparse
from pathlib import Path

from perennial.simulate import CUSTOMERS, SEED, simulate
from perennial.simulate.write import write_simulation


def main() -> None:
    """Simulate and write; says what was written."""
    parser = argparse.ArgumentParser(prog="python -m perennial.simulate", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("data/demo"), help="folder to write to")
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    simulation = simulate(chosen.customers, chosen.seed)
    for path in write_simulation(simulation, chosen.out):
        print(f"{path}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
