"""The parts of tests/bench/compare.py: what is asked of whom, in which order, and what the figures say."""
