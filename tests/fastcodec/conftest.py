"""The helpers beside the tests (radius_items) are importable by their names, from wherever pytest was started."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
