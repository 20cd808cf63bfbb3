"""packaging/install-packages asks for what is missing and no more, and says in one line when it cannot."""

import os
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "packaging", "install-packages")
LIST = """# a comment
[build]    # a group
g++        # a compiler
cmake

[test]
curl
cmake
"""


class InstallPackages(unittest.TestCase):
    """Runs against a list of its own and a PATH that holds only what a test puts there."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="hawser-packages-")
        self.addCleanup(shutil.rmtree, self.root)
        self.calls = os.path.join(self.root, "calls")
        self.list = os.path.join(self.root, "list.txt")
        with open(self.list, "w", encoding="utf-8") as file:
            file.write(LIST)
        for tool in ("bash", "dirname", "mktemp", "rm", "tail", "env"):
            os.symlink(shutil.which(tool), os.path.join(self.root, tool))
        self.program("id", "echo 0")

    def program(self, name, body):
        path = os.path.join(self.root, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!{shutil.which('bash')}\n{body}\n")
        os.chmod(path, 0o755)

    def installed(self, *names):
        # As dpkg-query does: a line for each that it knows, and a failure when it does not know one.
        lines = "; ".join(f"echo '{name} installed'" for name in names) or ":"
        self.program("dpkg-query", f"{lines}; echo 'curl config-files'; exit 1")

    def apt_get(self, result=0):
        self.program("apt-get", f'echo "$DEBIAN_FRONTEND $*" >>{self.calls}; exit {result}')

    def run_script(self, *groups):
        done = subprocess.run([SCRIPT, *groups], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL,
                              env={"PATH": self.root, "HAWSER_PACKAGE_LIST": self.list})
        return done.returncode, done.stdout, done.stderr

    def test_silent_when_nothing_is_missing(self):
        self.installed("g++", "cmake", "curl")
        self.apt_get()
        self.assertEqual(self.run_script(), (0, "", ""))
        self.assertFalse(os.path.exists(self.calls))

    def test_installs_what_is_missing_in_the_group(self):
        self.installed("g++")
        self.apt_get()
        code, out, err = self.run_script("build")
        self.assertEqual((code, out, err), (0, "Installing: cmake\n", ""))
        with open(self.calls, encoding="utf-8") as file:
            update, install = file.read().splitlines()
        self.assertRegex(update, r"^noninteractive .*\bupdate$")
        self.assertRegex(install, r"^noninteractive .*\binstall --no-install-recommends cmake$")

    def test_all_groups_each_package_once(self):
        self.installed()
        self.apt_get()
        self.assertEqual(self.run_script()[1], "Installing: g++ cmake curl\n")

    def test_removed_but_not_purged_is_missing(self):
        self.installed("g++", "cmake")
        self.apt_get()
        self.assertEqual(self.run_script("test")[1], "Installing: curl\n")

    def one_line_with(self, result, *texts):
        code, _, err = result
        self.assertEqual(code, 1)
        self.assertEqual(len(err.splitlines()), 1, err)
        for text in texts:
            self.assertIn(text, err)

    def test_without_apt_get(self):
        self.one_line_with(self.run_script("build"), "no apt-get", "g++ cmake")

    def test_without_root_and_sudo(self):
        self.apt_get()
        self.program("id", "echo 1000")
        self.one_line_with(self.run_script("test"), "no sudo", "curl cmake")

    def test_with_a_sudo_that_asks(self):
        self.apt_get()
        self.program("id", "echo 1000")
        self.program("sudo", "exit 1")
        self.one_line_with(self.run_script("test"), "password", "curl cmake")
        self.assertFalse(os.path.exists(self.calls))

    def test_with_sudo(self):
        self.apt_get()
        self.program("id", "echo 1000")
        self.program("sudo", '[ "$1" != -n ] || shift; [ "$1" = true ] || exec "$@"')
        self.assertEqual(self.run_script("test")[0], 0)
        self.assertTrue(os.path.exists(self.calls))

    def test_a_failing_apt_get_fails(self):
        self.installed("g++")
        self.apt_get(result=100)
        self.one_line_with(self.run_script("build"), "could not install", "cmake")

    def test_an_unknown_group(self):
        code, _, err = self.run_script("bild")
        self.assertEqual(code, 2)
        self.assertIn("no group 'bild'", err)

    def test_skipped_when_told_so(self):
        self.apt_get()
        done = subprocess.run([SCRIPT], check=False, capture_output=True,
                              env={"PATH": self.root, "HAWSER_SKIP_PACKAGES": "1"})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))


if __name__ == "__main__":
    unittest.main()
