"""down.sh against the stand-in for aws."""

import shutil
import tempfile
import unittest

from account import USER, AccountTest


class Down(AccountTest):
    full = None  # an account with two devices on one stack and one on another, made once

    def setUp(self):
        super().setUp()
        if not Down.full:
            for thing in ("pi-1", "pi:2"):
                self.assert_done(self.up(thing=thing))
            self.assert_done(self.up("--stack", "other", thing="theirs"))
            self.change(calls=[])
            Down.full = tempfile.TemporaryDirectory()
            shutil.copytree(self.folder, Down.full.name, symlinks=True, dirs_exist_ok=True)
        shutil.copytree(Down.full.name, self.folder, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("bin"))

    def test_everything_goes_once_it_was_confirmed(self):
        result = self.down(typed="glimpse\n")
        self.assert_done(result)
        self.assertIn("table glimpse with every record in it", result.out)
        self.assertIn("pi-1 pi:2", result.out)
        self.assertEqual(sorted(self.account()["stacks"]), ["other", "other-theirs"])

    def test_certificates_are_void_before_anything_is_deleted_and_the_table_goes_last(self):
        self.assert_done(self.down("--yes"))
        one = ["cloudformation describe-stack-resource", "iot update-certificate", "cloudformation delete-stack", "cloudformation wait"]
        calls = self.account()["calls"]
        self.assertEqual(self.calls(), ["cloudformation describe-stacks"] * 2 + one * 2 + one[2:])
        self.assertEqual(calls[-1][calls[-1].index("--stack-name") + 1], "glimpse")

    def test_nothing_goes_without_the_right_word(self):
        stacks = self.account()["stacks"]
        for typed in ("", "\n", "y\n", "yes\n", "Glimpse\n"):
            result = self.down(typed=typed)
            self.assertEqual(result.code, 1)
            self.assertIn("nothing was deleted", result.err)
        self.assertEqual(self.account()["stacks"], stacks)
        self.assertEqual(set(self.calls()), {"cloudformation describe-stacks"})

    def test_one_device_goes_its_records_stay(self):
        self.assert_done(self.down("--thing", "pi-1", "--dir", self.device("pi-1")))
        self.assertIn("glimpse", self.account()["stacks"])
        self.assertNotIn("glimpse-pi-1", self.account()["stacks"])
        self.assertEqual(len(self.account()["stacks"]), 4)
        self.assertFalse(self.device("pi-1").exists())
        self.assertTrue(self.device("pi:2").exists())

    def test_files_of_another_certificate_stay(self):
        self.assert_done(self.down("--thing", "pi-1", "--dir", self.device("pi:2")))
        self.assertTrue((self.device("pi:2") / "device.key").exists())

    def test_what_is_not_ours_stays(self):
        (self.device("pi-1") / "notes").write_text("mine")
        self.assert_done(self.down("--thing", "pi-1", "--dir", self.device("pi-1")))
        self.assertEqual([path.name for path in self.device("pi-1").iterdir()], ["notes"])

    def test_a_device_that_comes_back_has_another_key(self):
        key = (self.device("pi-1") / "device.key").read_text()
        self.assert_done(self.down("--thing", "pi-1", "--dir", self.device("pi-1")))
        self.assert_done(self.up(thing="pi-1"))
        self.assertNotEqual((self.device("pi-1") / "device.key").read_text(), key)

    def test_dry_run_makes_no_call(self):
        for words in ((), ("--thing", "pi-1")):
            result = self.down("--dry-run", *words)
            self.assertEqual(result.code, 0, result.err)
            self.assertIn("aws iot update-certificate --certificate-id CERTIFICATE_ID --new-status INACTIVE", result.out)
        self.assertEqual(self.calls(), [])
        self.assertEqual(len(self.account()["stacks"]), 5)

    def test_a_device_that_is_not_there(self):
        self.assert_refused(self.down("--thing", "pi-3"), 66, "there is no device pi-3 on stack glimpse", "it has: pi-1 pi:2")
        self.assert_refused(self.down("--thing", "pi-1", "--stack", "nothing"), 66, "it has: none")

    def test_a_stack_that_is_not_there(self):
        result = self.down("--stack", "nothing", "--yes")
        self.assert_done(result)
        self.assertIn("nothing to remove", result.out)

    def test_devices_of_a_stack_that_is_gone_go_too(self):
        stacks = self.account()["stacks"]
        del stacks["glimpse"]
        self.change(stacks=stacks)
        self.assert_done(self.down("--yes"))
        self.assertEqual(sorted(self.account()["stacks"]), ["other", "other-theirs"])

    def test_a_half_deployed_device_goes(self):
        self.change(stacks={"glimpse-pi-1": {"status": "CREATE_FAILED", "tags": {"glimpse": "glimpse", "glimpse-thing": "pi-1"}}})
        self.assert_done(self.down("--thing", "pi-1"))
        self.assertEqual(self.account()["stacks"], {})

    def test_a_stack_that_is_being_changed(self):
        stacks = self.account()["stacks"]
        stacks["glimpse-pi-1"]["status"] = "UPDATE_IN_PROGRESS"
        self.change(stacks=stacks)
        self.assert_refused(self.down("--thing", "pi-1"), 75, "stack glimpse-pi-1 is being changed (UPDATE_IN_PROGRESS)")

    def test_a_missing_permission_is_named(self):
        self.change(refusals={"iot update-certificate": "An error occurred (AccessDeniedException) when calling the UpdateCertificate "
                              f"operation: User: {USER} is not authorized to perform: iot:UpdateCertificate on resource: x"})
        self.assert_refused(self.down("--thing", "pi-1"), 77, f"{USER} may not iot:UpdateCertificate;")
        self.assertIn("glimpse-pi-1", self.account()["stacks"])

    def test_words_that_do_not_go_together(self):
        self.assert_refused(self.down("--dir", "x"), 64, "--dir goes with --thing")


def tearDownModule():
    if Down.full:
        Down.full.cleanup()


if __name__ == "__main__":
    unittest.main()
