"""What the tests of scripts/model_export/ share. Without torch they are skipped, which ctest says."""

import contextlib
import importlib.util
import io
import pathlib
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

for needed in ("torch", "torchvision"):
    if importlib.util.find_spec(needed) is None:
        print(f"skipped: {sys.executable} has no {needed}; scripts/setup.sh --training installs it")
        sys.exit(77)

from model_export.problem import Problem  # noqa: E402: found only now


class TestCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="glimpse-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.stderr = io.StringIO()
        self.enterContext(contextlib.redirect_stderr(self.stderr))

    @contextlib.contextmanager
    def problem(self, exit_code, *words):
        """The block raises a Problem of this code that has these words, on one line."""
        with self.assertRaises(Problem) as caught:
            yield
        message = str(caught.exception)
        self.assertEqual(caught.exception.exit_code, exit_code, message)
        self.assertNotIn("\n", message)
        for word in words:
            self.assertIn(str(word), message)
