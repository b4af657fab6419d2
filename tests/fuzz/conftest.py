"""The modules beside the tests are importable by their names, from wherever pytest was started."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
