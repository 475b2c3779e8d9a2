"""The .deb as it is, without installing it: its fields, its files, what lintian says, and that it runs from where it lies."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

DEB = os.environ["GLIMPSE_DEB"]
ROOT = pathlib.Path(__file__).resolve().parents[2]

FILES = """
-rw-r--r-- root/root ./etc/glimpse/glimpse.json
-rwxr-xr-x root/root ./usr/bin/glimpse
-rw-r--r-- root/root ./usr/share/bash-completion/completions/glimpse
-rw-r--r-- root/root ./usr/share/doc/glimpse/CHANGELOG.md.gz
-rw-r--r-- root/root ./usr/share/doc/glimpse/changelog.gz
-rw-r--r-- root/root ./usr/share/doc/glimpse/copyright
-rw-r--r-- root/root ./usr/share/glimpse/demo.mp4
-rw-r--r-- root/root ./usr/share/glimpse/models/demo/float.pt
-rw-r--r-- root/root ./usr/share/glimpse/models/demo/int8.pt
-rw-r--r-- root/root ./usr/share/glimpse/models/demo/manifest.json
-rw-r--r-- root/root ./usr/share/man/man1/glimpse.1.gz
""".strip().splitlines()
if (ROOT / "scripts" / "package" / "glimpse.service").exists():
    FILES.append("-rw-r--r-- root/root ./usr/lib/systemd/system/glimpse.service")


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def field(name):
    return output("dpkg-deb", "--field", DEB, name).strip()


class Deb(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="glimpse-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name)
        subprocess.run(["dpkg-deb", "--raw-extract", DEB, cls.root], check=True)
        cls.glimpse = cls.root / "usr" / "bin" / "glimpse"

    def test_its_name_version_and_architecture_are_those_of_the_program_and_this_machine(self):
        version = output(self.glimpse, "--version").split()[1]
        architecture = output("dpkg", "--print-architecture").strip()
        self.assertEqual([field("Package"), field("Version"), field("Architecture")], ["glimpse", version, architecture])
        self.assertEqual(pathlib.Path(DEB).name, f"glimpse_{version}_{architecture}.deb")

    def test_it_has_these_files_and_no_others(self):
        lines = [line.split(None, 5) for line in output("dpkg-deb", "--contents", DEB).splitlines()]
        self.assertEqual(sorted(f"{mode} {owner} {name}" for mode, owner, *_, name in lines if mode[0] != "d"), sorted(FILES))
        self.assertEqual({(mode, owner) for mode, owner, *_ in lines if mode[0] == "d"}, {("drwxr-xr-x", "root/root")})

    def test_it_depends_on_the_package_of_each_library_that_it_is_linked_with(self):
        depends = {part.split()[0] for part in field("Depends").split(", ")}
        needed = re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "--dynamic", self.glimpse))
        self.assertGreater(len(needed), 10)
        paths = dict(re.findall(r"(\S+) => (\S+)", output("ldd", self.glimpse)))
        for library in needed:
            path = pathlib.Path(paths[library]).resolve()
            owner = subprocess.run(["dpkg", "--search", path], capture_output=True, text=True, check=False).stdout
            if not owner:  # the database has the name from before /lib was /usr/lib
                owner = output("dpkg", "--search", str(path).removeprefix("/usr"))
            owner = owner.split(":")[0]
            provided = output("dpkg-query", "--show", "--showformat", "${Provides}", owner)
            names = {owner} | {part.split()[0] for part in provided.split(", ") if part}
            self.assertTrue(names & depends, f"{library} of {owner}")
        # Chosen at run time, where no link shows it.
        self.assertLessEqual({"adduser", "ca-certificates", "libopenblas0-pthread", "gstreamer1.0-plugins-base"}, depends)

    def test_its_configuration_is_one_that_dpkg_keeps_and_the_program_takes(self):
        self.assertEqual((self.root / "DEBIAN" / "conffiles").read_text(), "/etc/glimpse/glimpse.json\n")
        output(self.glimpse, "run", "--config", self.root / "etc/glimpse/glimpse.json", "--print-config")

    def test_the_program_finds_the_model_that_came_with_it(self):
        done = subprocess.run([self.glimpse, "run", "--source", self.root / "usr/share/glimpse/demo.mp4", "--frames", "30", "--json"],
                              cwd="/", capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(str(self.root / "usr/share/glimpse/models/demo"), done.stderr)

    @unittest.skipUnless(shutil.which("lintian"), "no lintian: scripts/setup.sh --packaging")
    def test_lintian_has_no_complaint(self):
        done = subprocess.run(["lintian", "--tag-display-limit", "0", DEB], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)


if __name__ == "__main__":
    unittest.main()
