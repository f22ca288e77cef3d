"""Every benchmark, one after the other: ``python -m benchmarks``."""

from __future__ import annotations

from benchmarks import demo_cost, planning_cost, step_cost, validate_speed

if __name__ == "__main__":
    step_cost.main()
    demo_cost.main()
    planning_cost.main()
    validate_speed.main([])
