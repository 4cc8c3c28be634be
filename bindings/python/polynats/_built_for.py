"""Why the module in C was not found: it was built for another Python, or not at all."""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES


def explain(problem: ImportError) -> ImportError:
    """What to raise. A module that is for this Python, and cannot be loaded, says why by itself."""
    folder = os.path.dirname(os.path.abspath(__file__))
    built = [
        name[len("_polynats") :]
        for name in sorted(os.listdir(folder))
        if name.startswith("_polynats.") and name.endswith(".so")
    ]
    if any(suffix in EXTENSION_SUFFIXES for suffix in built):
        return problem
    if not built:
        return ImportError(f"polynats: {folder} has no module in C; it was not built")
    kinds = ", ".join(suffix.split(".")[1] for suffix in built)
    return ImportError(
        f"polynats: {folder} was built for {kinds}, and this is Python"
        f" {sys.version_info.major}.{sys.version_info.minor}: build it for this one"
    )
