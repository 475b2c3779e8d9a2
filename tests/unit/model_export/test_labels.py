"""The names of a network's outputs."""

import json
import unittest

from support import TestCase

from model_export.architectures import architecture
from model_export.labels import labels_for, read


class Labels(TestCase):
    def file(self, content):
        path = self.folder / "labels.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def test_a_label_a_line(self):
        self.assertEqual(read(self.file("cat\nhot dog\nStraße\n"), 3), ["cat", "hot dog", "Straße"])

    def test_windows_line_ends_a_byte_order_mark_and_empty_lines_at_the_end(self):
        self.assertEqual(read(self.file(b"\xef\xbb\xbfcat\r\ndog\r\n\r\n\r\n"), 2), ["cat", "dog"])

    def test_a_json_list(self):
        self.assertEqual(read(self.file(b"\xef\xbb\xbf" + json.dumps(["cat", "dog"]).encode()), 2), ["cat", "dog"])

    def test_an_empty_line_inside_is_named(self):
        with self.problem(65, "line 2 is empty"):
            read(self.file("cat\n\ndog\n"), 3)

    def test_too_few_and_too_many_are_told_with_both_numbers(self):
        for outputs in (1, 3):
            with self.problem(65, "has 2 labels", f"{outputs} outputs"):
                read(self.file("cat\ndog\n"), outputs)
        with self.problem(65, "has 0 labels"):
            read(self.file(""), 2)

    def test_what_is_no_list_of_labels(self):
        for content, words in (
            (b'["cat", 7]', "item 1 is no label: 7"),
            (b'["cat", "dog"', "is no JSON list"),
            (b"caf\xe9\n", "is not UTF-8"),
            (b"cat\x1b[2J\ndog\n", "line 1 has a character"),
        ):
            with self.problem(65, "labels.txt", words):
                read(self.file(content), 2)

    def test_a_missing_file(self):
        with self.problem(66, "none.txt"):
            read(self.folder / "none.txt", 2)

    def test_without_a_file_a_thousand_outputs_are_imagenet(self):
        labels = labels_for(architecture("resnet18"), 1000)
        self.assertEqual((len(labels), labels[0], labels[999]), (1000, "tench", "toilet tissue"))
        self.assertEqual(self.stderr.getvalue(), "")

    def test_without_a_file_other_outputs_get_numbers_and_a_warning(self):
        self.assertEqual(labels_for(architecture("resnet18"), 3), ["class 0", "class 1", "class 2"])
        self.assertIn("warning: 3 outputs and no --labels FILE", self.stderr.getvalue())


if __name__ == "__main__":
    unittest.main()
