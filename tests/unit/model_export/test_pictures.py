"""Pictures of a folder: found, split, read as torchvision reads them, augmented."""

import random
import shutil
import unittest
import unittest.mock
from pathlib import Path

import support  # noqa: F401: finds scripts/, or skips
import torch
from PIL import Image
from support import TestCase
from torchvision.transforms import InterpolationMode, _presets

from model_export.architectures import InputSpec
from model_export.pictures import Pictures, find, hold_back, labelled

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SPEC = InputSpec(32, 40, "bilinear", MEAN, STD)


def noise(width, height, seed=1, mode="RGB"):
    channels = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), random.Random(seed).randbytes(width * height * channels))


class PicturesTestCase(TestCase):
    def save(self, name, picture, **options):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, **options)
        return path

    def several(self, count):
        return [self.save(f"{n}.png", noise(60 + n, 50, n)) for n in range(count)]


class Folder(PicturesTestCase):
    def test_pictures_are_found_in_folders_of_folders_and_sorted(self):
        wanted = [self.save(name, noise(8, 8)) for name in ("a/b/x.PNG", "a/y.jpg", "z.bmp")]
        for name in (".hidden.png", ".thumbs/x.png"):
            self.save(name, noise(8, 8))
        (self.folder / "labels.csv").write_text("x")
        self.assertEqual(find(self.folder), wanted)

    def test_no_folder_and_no_pictures(self):
        with self.problem(66, "none: no such folder"):
            find(self.folder / "none")
        (self.folder / "labels.csv").write_text("x")
        with self.problem(65, f"{self.folder} holds no pictures"):
            find(self.folder)


class HoldBack(unittest.TestCase):
    def test_a_fifth_is_held_back_and_nothing_is_lost_or_twice(self):
        paths = [Path("photos", f"{n}.jpg") for n in range(200)]
        calibration, held_back = hold_back(paths)
        self.assertEqual((len(calibration), len(held_back)), (160, 40))
        self.assertEqual(sorted(calibration + held_back), sorted(paths))
        self.assertNotEqual(sorted(held_back), sorted(paths)[:40], "not simply the first: folders are sorted by class")

    def test_the_split_does_not_depend_on_place_or_order(self):
        names = [f"{n % 7}/{n}.jpg" for n in range(50)]
        here = hold_back([Path("/a", name) for name in names])
        there = hold_back([Path("/somewhere/else", name) for name in reversed(names)])
        for part_here, part_there in zip(here, there):
            self.assertEqual(
                [p.relative_to("/a") for p in part_here], [p.relative_to("/somewhere/else") for p in part_there]
            )

    def test_few_and_many(self):
        for count, held in ((1, 0), (2, 1), (3, 1), (10, 2), (2500, 500), (9000, 500)):
            calibration, held_back = hold_back([Path(f"{n}.jpg") for n in range(count)])
            self.assertEqual((len(calibration), len(held_back)), (count - held, held))


class Labelled(PicturesTestCase):
    def classes(self, folders, labels):
        shutil.rmtree(self.folder)
        for folder in folders:
            self.save(f"{folder}/x.png", noise(8, 8))
        paths, classes = labelled(self.folder, labels)
        return {path.parent.name: number for path, number in zip(paths, classes)}

    def test_folders_named_for_labels_or_indices(self):
        self.assertEqual(self.classes(["dog", "cat"], ["cat", "cow", "dog"]), {"dog": 2, "cat": 0})
        self.assertEqual(self.classes(["2", "10"], [f"class {n}" for n in range(11)]), {"2": 2, "10": 10})
        self.assertEqual(
            self.classes(["2", "0"], ["0", "2"]), {"2": 1, "0": 0}, "a label that is a number is a label first"
        )

    def test_other_names_are_the_classes_in_sorted_order(self):
        self.assertEqual(self.classes(["n02", "n01"], ["cat", "dog"]), {"n01": 0, "n02": 1})

    def test_what_cannot_be_told(self):
        for folders, labels, words in (
            (
                ["cat", "horse"],
                ["cat", "cow", "dog"],
                '"horse" is no label and no index, and 2 folders are not 3 labels',
            ),
            (["crane", "cat"], ["crane", "cat", "crane"], '"crane" is the label of several outputs'),
            (["."], ["cat"], "x.png lies in no class's folder"),
        ):
            with self.problem(65, words):
                self.classes(folders, labels)


class Evaluation(PicturesTestCase):
    def test_pictures_are_what_torchvision_s_preset_makes_of_them(self):
        for name in ("bilinear", "bicubic"):
            spec = InputSpec(32, 40, name, MEAN, STD)
            preset = _presets.ImageClassification(
                crop_size=32, resize_size=40, interpolation=InterpolationMode(name), mean=MEAN, std=STD
            )
            sizes = (("RGB", 121, 67), ("RGB", 40, 90), ("RGB", 20, 20), ("L", 77, 78), ("RGBA", 64, 41))
            pictures = [noise(width, height, mode=mode) for mode, width, height in sizes]
            paths = [self.save(f"{n}.png", picture) for n, picture in enumerate(pictures)]
            got = torch.cat(list(Pictures(paths, spec).batches(2)))
            want = torch.stack([preset(picture.convert("RGB")) for picture in pictures])
            torch.testing.assert_close(got, want, rtol=0, atol=0)

    def test_a_photo_taken_upright_is_upright(self):
        orientation = Image.Exif()
        orientation[0x0112] = 6  # the camera was turned: show it turned 90 degrees clockwise
        picture = noise(60, 50)
        upright = self.save("upright.png", picture.transpose(Image.Transpose.ROTATE_270))
        for name in ("turned.png", "turned.tif"):
            turned = self.save(name, picture, exif=orientation)
            first, second = next(Pictures([turned, upright], SPEC).batches(2))
            self.assertTrue(torch.equal(first, second), name)

    def test_batches_are_bounded_and_the_cache_changes_nothing(self):
        paths = self.several(5)
        cached, read_again = Pictures(paths, SPEC), Pictures(paths, SPEC, cache_bytes=0)
        batches = list(cached.batches(2))
        self.assertEqual([tuple(batch.shape) for batch in batches], [(2, 3, 32, 32), (2, 3, 32, 32), (1, 3, 32, 32)])
        with unittest.mock.patch.object(Image, "open", wraps=Image.open) as opened:
            list(cached.batches(2))
            self.assertEqual(opened.call_count, 0)
            first = next(read_again.batches(2))
            self.assertEqual(opened.call_count, 2, "no more than the batch is read")
        self.assertTrue(torch.equal(first, batches[0]))

    def test_a_part_reads_nothing_again(self):
        pictures = Pictures(self.several(4), SPEC)
        wanted = [pictures.paths[2], pictures.paths[0]]
        with unittest.mock.patch.object(Image, "open", wraps=Image.open) as opened:
            part = pictures.part(wanted)
            (batch,) = part.batches(4)
            self.assertEqual(opened.call_count, 0)
        self.assertEqual((len(part), part.paths, len(pictures)), (2, wanted, 4))
        whole = next(pictures.batches(4))
        self.assertTrue(torch.equal(batch, whole[[2, 0]]))

    def test_the_cache_stops_at_its_bound(self):
        paths = [self.save(f"{n}.png", noise(40, 40, n)) for n in range(3)]
        pictures = Pictures(paths, SPEC, cache_bytes=2 * 40 * 40 * 3)
        with unittest.mock.patch.object(Image, "open", wraps=Image.open) as opened:
            list(pictures.batches(3))
        self.assertEqual(opened.call_count, 1)


class Skipped(PicturesTestCase):
    def bad(self):
        text, cut = self.folder / "text.jpg", self.save("cut.jpg", noise(80, 80))
        text.write_text("not a picture")
        cut.write_bytes(cut.read_bytes()[:2000])
        strip = self.save("strip.png", noise(1, 400))
        return [text, cut, strip]

    def test_what_cannot_be_read_is_skipped_and_counted(self):
        bad, good = self.bad(), self.several(2)
        pictures = Pictures([bad[0], good[0], bad[1], bad[2], good[1]], SPEC, classes=[9, 4, 9, 9, 5])
        self.assertEqual(pictures.paths, good)
        self.assertEqual(pictures.classes.tolist(), [4, 5])
        self.assertEqual([path for path, _ in pictures.skipped], bad)
        for (_, reason), words in zip(pictures.skipped, ("cannot identify", "truncated", "1 x 400 px is too narrow")):
            self.assertIn(words, reason)
        self.assertIn("warning: 3 of 5 pictures cannot be read, such as ", self.stderr.getvalue())

    def test_a_decompression_bomb_is_skipped(self):
        good, bomb = self.save("good.png", noise(40, 40)), self.save("bomb.png", noise(60, 60))
        with unittest.mock.patch.object(Image, "MAX_IMAGE_PIXELS", 50 * 50):
            pictures = Pictures([bomb, good], SPEC)
        self.assertEqual(pictures.paths, [good])

    def test_none_left_is_a_problem(self):
        with self.problem(65, "3 of 3 pictures cannot be read", "text.jpg"):
            Pictures(self.bad(), SPEC)


class Augmented(PicturesTestCase):
    def test_every_picture_once_shuffled_and_the_seed_decides_all(self):
        pictures = Pictures(self.several(7), SPEC)

        def all_of(seed):
            batches = list(pictures.augmented(3, seed))
            return torch.cat([batch for batch, _ in batches]), torch.cat([numbers for _, numbers in batches])

        torch.manual_seed(1)
        first, order = all_of(5)
        torch.manual_seed(2)
        random.seed(2)
        again, order_again = all_of(5)
        other, _ = all_of(6)
        self.assertEqual(tuple(first.shape), (7, 3, 32, 32))
        self.assertEqual(sorted(order.tolist()), list(range(7)))
        self.assertNotEqual(order.tolist(), list(range(7)))
        self.assertTrue(torch.equal(first, again) and torch.equal(order, order_again))
        self.assertFalse(torch.equal(first, other))

    def test_half_are_mirrored_and_colours_stay_close(self):
        # Left black, right white: however it is cut out, the halves say whether it was mirrored.
        picture = Image.new("RGB", (60, 60))
        picture.paste((255, 255, 255), (30, 0, 60, 60))
        grey = self.save("grey.png", Image.new("RGB", (60, 60), (100, 100, 100)))
        pictures = Pictures([self.save("halves.png", picture)] * 200, SPEC)
        (batch, _) = next(pictures.augmented(200, 1))
        mirrored = (batch[..., :16].mean((1, 2, 3)) > batch[..., 16:].mean((1, 2, 3))).sum().item()
        self.assertTrue(70 <= mirrored <= 130, mirrored)
        (batch, _) = next(Pictures([grey] * 50, SPEC).augmented(50, 1))
        levels = (batch * torch.tensor(STD)[:, None, None] + torch.tensor(MEAN)[:, None, None]) * 255
        self.assertTrue(80 <= levels.min() <= 95 and 105 <= levels.max() <= 120, (levels.min(), levels.max()))


if __name__ == "__main__":
    unittest.main()
