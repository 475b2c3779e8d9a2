"""The parts of scripts/compare_models.py: what glimpse tells, the chart, the page."""
