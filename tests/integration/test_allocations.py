"""Once it is warm, the way from a frame to a record allocates no memory for pixels or activations."""

import os
import re
import unittest

import harness


class Allocations(harness.TestCase):
    def large_allocations(self, frames, *options):
        # Where OpenMP is told beforehand, the program does not begin anew, and is counted once.
        environment = {**os.environ, "LD_PRELOAD": os.environ["COUNT_ALLOCATIONS"], "OMP_WAIT_POLICY": "passive"}
        result = harness.glimpse("--source", harness.CLIP, "--frames", frames, "--interval", "0", "--json", *options, env=environment)
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(len(result.records()), frames)
        return int(re.search(r"^large allocations: (\d+)$", result.err, re.MULTILINE)[1])

    def test_more_frames_take_no_more_of_them(self):
        for backend in ("onednn", "xnnpack"):
            for precision in ([], ["--quantized"]):
                with self.subTest(backend=backend, precision=precision):
                    options = ["--backend", backend, *precision]
                    # Which frame is the first to need one more buffer depends on how the threads take turns.
                    self.assertLess(self.large_allocations(400, *options) - self.large_allocations(100, *options), 30)


if __name__ == "__main__":
    unittest.main()
