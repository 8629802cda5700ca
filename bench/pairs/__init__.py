"""The paired runner behind bench/compare.py: targets, workloads as data, measures, ratios, and how they are shown."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("bench", "compat-tests", "compat-tests/clients")]
