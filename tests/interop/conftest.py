"""The worlds of the role tests are importable by their names here, too."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "roles"))
