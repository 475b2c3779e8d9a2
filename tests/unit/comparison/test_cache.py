"""What is made once and kept: whole or not at all."""

import json
import os
import pathlib
import tempfile
import unittest
import unittest.mock

from parts import Silent

from comparison import cache
from model_export.problem import Problem


class Cache(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="glimpse-test-")))
        self.enterContext(unittest.mock.patch.dict(os.environ, {"XDG_CACHE_HOME": str(self.folder)}))

    def kept(self):
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def test_made_once(self):
        make = unittest.mock.Mock(side_effect=lambda stage: (stage / "file").write_text("x"))
        for _ in range(2):
            self.assertEqual(cache.made("thing", make), self.folder / "glimpse" / "peers" / "thing")
        self.assertEqual(make.call_count, 1)
        self.assertEqual(self.kept(), ["glimpse/peers/thing/file"])

    def test_nothing_stays_of_what_failed(self):
        def make(stage):
            (stage / "half").write_text("x")
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            cache.made("thing", make)
        self.assertEqual(list((self.folder / "glimpse" / "peers").iterdir()), [])

    def test_a_model_folder(self):
        def written(**manifest):
            (self.folder / "manifest.json").write_text(json.dumps(manifest))
            return cache.model(self.folder, Silent())

        model = written(arch="mobilenet_v2", labels=["a", "b"], files={"float.pt": {}})
        self.assertEqual((model.outputs, model.precisions), (2, ("float",)))
        with self.assertRaisesRegex(Problem, "resnet18.*mobilenet_v2"):
            written(arch="resnet18", labels=[], files={})
        with self.assertRaisesRegex(Problem, "no model folder"):
            cache.model(self.folder / "none", Silent())


if __name__ == "__main__":
    unittest.main()
