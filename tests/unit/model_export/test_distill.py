"""Quantization-aware training: never worse than before it, the best state wins, and a break changes nothing."""

import copy
import hashlib
import os
import unittest
import unittest.mock

import support  # noqa: F401: finds scripts/, or skips
import torch
from nets import SPEC, Silent, Tensors, net
from support import TestCase

from model_export import distill as distillation
from model_export.calibrate import BATCH, answers, calibrate, divergence
from model_export.distill import PATIENCE_EPOCHS, Training, distill, loss_of
from model_export.export import Request, identity
from model_export.student import Student, choose_engine

choose_engine()
torch.set_num_threads(1)  # more add floats in another order
SEED = 3


class Interrupted(Exception):
    pass


class TrainingTestCase(TestCase):
    def setUp(self):
        super().setUp()
        self.teacher = net(spread=300.0)
        self.pictures, self.held_back = Tensors(48), Tensors(24, seed=2)
        self.file = self.folder / "qat.checkpoint"

    def training(self, epochs=4, identity="this run"):
        student = Student(self.teacher, SPEC)
        calibrate(student, self.pictures, Silent())
        for layer in student.layers.values():
            layer.bias.data += 0.05  # so that there is something to learn
        return Training(student, epochs, len(self.pictures) // BATCH, self.file, identity)

    def distill(self, training, pictures=None):
        progress = Silent()
        distill(training, self.teacher, pictures or self.pictures, self.held_back, SEED, progress)
        return progress.lines

    def divergence_of(self, student):
        student.simulate(True)
        expected = answers(self.teacher, [self.held_back.values])
        return divergence(expected, answers(student, [self.held_back.values]))


class Learning(TrainingTestCase):
    def test_training_helps_a_student_that_is_off(self):
        training = self.training(epochs=6)
        self.distill(training)
        history = training.history
        self.assertEqual([epoch.number for epoch in history], list(range(len(history))))
        self.assertLess(training.best_epoch().divergence, history[0].divergence)

    def test_the_student_is_left_in_its_best_state(self):
        # Steps so large that the training does harm after the first of them.
        for name in ("WEIGHT_RATE", "BIAS_RATE"):
            self.enterContext(unittest.mock.patch.object(distillation, name, 0.3))
        training = self.training(epochs=3)
        before = {key: value.clone() for key, value in training.student.state_dict().items()}
        self.distill(training)
        history = training.history
        self.assertGreater(history[-1].divergence, history[0].divergence)
        self.assertEqual(training.best_epoch(), history[0])
        for key, value in training.student.state_dict().items():
            self.assertTrue(torch.equal(value, before[key]), key)

    def test_it_never_ends_worse_than_it_began(self):
        for rate in (1e-6, 1e-4, 1e-2):
            with unittest.mock.patch.object(distillation, "WEIGHT_RATE", rate):
                training = self.training(epochs=3)
                self.distill(training)
            self.assertLessEqual(self.divergence_of(training.student), training.history[0].divergence + 1e-6)
            self.assertAlmostEqual(self.divergence_of(training.student), training.best_epoch().divergence, delta=1e-5)

    def test_no_gain_for_some_epochs_is_the_end(self):
        for name in ("WEIGHT_RATE", "BIAS_RATE", "SCALE_RATE"):
            self.enterContext(unittest.mock.patch.object(distillation, name, 0.0))
        training = self.training(epochs=50)
        self.distill(training)
        self.assertEqual(len(training.history), 1 + PATIENCE_EPOCHS)

    def test_every_epoch_is_told(self):
        lines = self.distill(self.training(epochs=2))
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"^epoch 1 of 2: divergence \d\.\d{4} nats, agreement [\d.]+ % on 24 pictures")

    def test_what_is_fixed_stays_and_what_is_not_learns(self):
        training = self.training(epochs=2)
        fixed = [module for module in training.student.activations if module.fixed]
        self.assertEqual(len(fixed), 3)  # the input and two ReLU6
        before = [module.scale.item() for module in fixed]
        weights = {name: layer.weight.clone() for name, layer in training.student.layers.items()}
        scales = [module.scale.item() for module in training.student.activations if not module.fixed]
        self.distill(training)
        self.assertEqual([module.scale.item() for module in fixed], before)
        if training.best_epoch().number:
            for name, layer in training.student.layers.items():
                self.assertFalse(torch.equal(layer.weight, weights[name]), name)
            learnt = [module.scale.item() for module in training.student.activations if not module.fixed]
            self.assertNotEqual(learnt, scales)

    def test_the_teacher_stays_as_it_is(self):
        before = copy.deepcopy(self.teacher.state_dict())
        self.distill(self.training(epochs=1))
        for key, value in self.teacher.state_dict().items():
            self.assertTrue(torch.equal(value, before[key]), key)


class Loss(TrainingTestCase):
    def test_the_formulas(self):
        torch.manual_seed(1)
        found, expected, classes = torch.randn(6, 4), torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
        p, logs = expected.softmax(1), found.log_softmax(1)
        distance = (p * (p.log() - logs)).sum() / 6
        entropy = -sum(logs[row, number] for row, number in enumerate(classes)) / 6
        torch.testing.assert_close(loss_of(found, expected, None), distance)
        torch.testing.assert_close(loss_of(found, expected, classes), distance + entropy)

    def test_each_picture_comes_with_its_own_class(self):
        classes = torch.randint(5, (48,), generator=torch.Generator().manual_seed(1))
        pictures, seen = Tensors(48, classes=classes), []

        def note(found, expected, of_batch):
            seen.append((expected, of_batch))
            return loss_of(found, expected, of_batch)

        with unittest.mock.patch.object(distillation, "loss_of", note):
            self.distill(self.training(epochs=1), pictures)
        batches = list(pictures.augmented(BATCH, SEED + 1))
        self.assertEqual(len(seen), len(batches))
        for (expected, of_batch), (values, numbers) in zip(seen, batches):
            self.assertTrue(torch.equal(of_batch, classes[numbers]))
            self.assertTrue(torch.equal(expected, answers(self.teacher, [values])))


class Resuming(TrainingTestCase):
    def interrupted_after(self, epoch):
        """A training that was stopped in the middle of the epoch after this one."""
        training = self.training()
        steps, learn = epoch * len(self.pictures) // BATCH + 1, Training.learn

        def stopping(self, loss):
            if self.step >= steps:
                raise Interrupted
            learn(self, loss)

        with unittest.mock.patch.object(Training, "learn", stopping), self.assertRaises(Interrupted):
            self.distill(training)

    def test_an_interrupted_training_ends_bit_for_bit_as_one_that_was_not(self):
        straight = self.training()
        self.distill(straight)
        self.assertEqual(len(straight.history), 5, "it ends by its epochs, not for want of patience")
        self.assertGreater(straight.best_epoch().number, 2, "or else there is nothing to compare")
        for epoch in (1, 2, 3):
            self.file.unlink()
            self.interrupted_after(epoch)
            resumed = self.training()
            resumed.resume()
            self.assertEqual(resumed.history[-1].number, epoch)
            self.distill(resumed)
            self.assertEqual(resumed.history, straight.history)
            for key, value in straight.student.state_dict().items():
                self.assertTrue(torch.equal(resumed.student.state_dict()[key], value), (epoch, key))

    def test_a_training_that_was_over_is_over(self):
        straight = self.training()
        self.distill(straight)
        again = self.training()
        again.resume()
        with unittest.mock.patch.object(Training, "learn", side_effect=AssertionError("nothing is left to learn")):
            self.distill(again)
        for key, value in straight.student.state_dict().items():
            self.assertTrue(torch.equal(again.student.state_dict()[key], value), key)

    def test_a_checkpoint_of_another_run_is_refused(self):
        self.interrupted_after(1)
        with self.problem(65, self.file, "another network, other pictures or other --epochs"):
            self.training(identity="another run").resume()

    def test_what_makes_another_run(self):
        def of(network=self.teacher, epochs=4, pictures=self.pictures, held_back=self.held_back):
            request = Request(network, "tiny", SPEC, [], {}, self.folder, "qat", epochs)
            return identity(request, pictures, held_back)

        self.assertEqual(of(), of(net(spread=300.0)))
        classes = [torch.zeros(48, dtype=torch.int64), torch.ones(48, dtype=torch.int64)]
        others = [
            of(net(seed=2)),
            of(epochs=5),
            of(pictures=Tensors(48, seed=9)),
            of(held_back=Tensors(24, seed=9)),
            *(of(pictures=Tensors(48, classes=numbers)) for numbers in classes),
        ]
        self.assertEqual(len({of(), *others}), 1 + len(others))

    def test_no_checkpoint(self):
        with self.problem(65, "--resume", self.file):
            self.training().resume()

    def test_a_damaged_checkpoint_is_refused(self):
        self.interrupted_after(1)
        whole = self.file.read_bytes()
        for damaged in (whole[: len(whole) // 2], b"", b"no checkpoint"):
            self.file.write_bytes(damaged)
            with self.problem(65, "--resume", self.file, "is damaged"):
                self.training().resume()

    def test_a_file_that_is_no_checkpoint_of_ours_is_refused(self):
        for content in ({"weight": torch.zeros(1)}, [1, 2], torch.zeros(2)):
            torch.save(content, self.file)
            with self.problem(65, "--resume", self.file, "is damaged"):
                self.training().resume()

    def test_a_checkpoint_that_would_execute_code_executes_nothing(self):
        class Attack:
            def __reduce__(attack):
                return os.mkdir, (str(self.folder / "executed"),)

        torch.save({"identity": "this run", "student": Attack()}, self.file)
        with self.problem(65, "--resume", self.file):
            self.training().resume()
        self.assertFalse((self.folder / "executed").exists())

    def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(self):
        self.interrupted_after(1)
        before = hashlib.sha256(self.file.read_bytes()).hexdigest()
        resumed = self.training()
        resumed.resume()
        with unittest.mock.patch("os.replace", side_effect=OSError(28, "No space left on device")):
            with self.problem(73, self.file, "No space left"):
                resumed.save()
        self.assertEqual(hashlib.sha256(self.file.read_bytes()).hexdigest(), before)
        self.assertEqual(os.listdir(self.folder), [self.file.name])


if __name__ == "__main__":
    unittest.main()
