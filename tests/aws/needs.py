"""What a test needs that may not be there: it is left out then, and says why."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts" / "aws"
LEFT_OUT = 77  # ctest's SKIP_RETURN_CODE


def leave_out(reason):
    print(f"left out: {reason}; run scripts/setup.sh --aws")
    sys.exit(LEFT_OUT)


try:
    import yaml  # noqa: F401
except ImportError:
    leave_out("this Python has no yaml")
sys.path.insert(0, str(SCRIPTS / "rehearsal"))
