"""The modules beside the tests, and those of tests/fastcodec, are importable by their names, from wherever pytest was started."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parent.parent / "fastcodec"))
