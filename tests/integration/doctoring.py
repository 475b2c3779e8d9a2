"""What the tests of glimpse doctor share."""

import json
import subprocess

from harness import DEMO, GLIMPSE, PATIENCE_S, Broker, TestCase

STATES = {"ok", "warn", "fail"}


def doctor(*arguments, source=True, prefix=(), program=GLIMPSE, **options):
    """(exit code, checks by name, all in order)"""
    model = [] if "--model" in arguments else ["--model", DEMO]
    named = ["--source", "test"] if source and "--source" not in arguments else []
    done = subprocess.run([*prefix, program, "doctor", *model, *named, "--json", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=PATIENCE_S, check=False, **options)
    checks = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return done.returncode, {check["name"]: check for check in checks}, done.stderr.decode()


def undisturbed(*arguments, **options):
    """The same, beside other tests: a run of theirs that has not opened its outbox yet keeps the doctor from logging in."""
    for _ in range(5):
        found = doctor(*arguments, **options)
        if "may be logged in" not in found[1].get("login", {"text": ""})["text"]:
            break
    return found


def openssl(file, field):
    text = subprocess.run(["openssl", "x509", "-in", file, "-noout", f"-{field}", "-nameopt", "sname,sep_comma_plus_space,utf8"],
                          check=True, capture_output=True, text=True).stdout
    return text.strip().split("=", 1)[1]


def utc(openssl_date):
    done = subprocess.run(["date", "-u", "-d", openssl_date, "+%Y-%m-%d %H:%M:%S UTC"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Doctor(TestCase):
    def assert_states(self, checks, **states):
        for name, state in states.items():
            check = checks[name.replace("_", " ")]
            self.assertEqual(check["state"], state, check)

    def assert_in_check(self, check, *words):
        line = f'{check["state"]} {check["text"]} | {check["remedy"]}'
        for word in words:
            self.assertIn(str(word), line)

    def setUp(self):
        super().setUp()
        self.device = self.folder.name  # another test's run as the same device would keep the doctor from logging in

    def broker(self):
        return Broker(self, device=self.device).start()
