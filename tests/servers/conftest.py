"""Where tests of servers find the desk, which joins roles in memory."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "roles"))
