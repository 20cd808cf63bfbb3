"""scripts/requirements counts tags and exceptions rightly, and fails on each thing that is wrong with them."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "requirements")
HEADER = "id\tlevel\tsection\ttopic\trequirement\tpacket_level_test\n"


def tag(name):
    """Put together here, so that this file carries no tag itself."""
    return f"// RFC9293-{name}: as it says\n"


class Requirements(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="hawser-requirements-")
        self.addCleanup(shutil.rmtree, self.root)
        self.put("docs/requirements/rfc9293-requirements.tsv",
                 HEADER + "MUST-1\tMUST\t3.1\tt\tfirst\tx\nMUST-11\tMUST\t3.1\tt\televenth\tx\n"
                 "SHLD-2\tSHLD\t3.1\tt\tsecond\tx\n")
        self.put("docs/requirements/rfc9293-unlabelled.tsv",
                 HEADER + "U-5\tMUST\t3.1\tt\tfifth\tx\nN-1\tnote\tApp. B\tt\ta note\t\n")
        self.except_("SHLD-2\trefused\ton purpose\n")
        self.put("include/hawser/a.hpp", tag("MUST-1"))
        self.put("src/tcp/a.cpp", tag("MUST-11") + tag("U-5"))
        self.put("tests/tcp/a_test.cpp", tag("MUST-1") + tag("MUST-11") + tag("U-5"))

    def put(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def except_(self, lines):
        self.put("docs/requirements/exceptions.tsv", "id\twhy\treason\n" + lines)

    def run_script(self, *arguments):
        done = subprocess.run([sys.executable, SCRIPT, "--root", self.root, *arguments],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_all_in_order(self):
        code, out, err = self.run_script("--strict")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("4 requirements: 3 on code and test, 1 excepted, 0 on code only", out)
        self.assertIn("src/tcp/a.cpp:1 tests/tcp/a_test.cpp:2", out)

    def test_a_longer_number_is_another_id(self):
        self.put("include/hawser/a.hpp", "")
        code, out, _ = self.run_script("--strict", "--summary")
        self.assertEqual(code, 1)
        self.assertIn("MUST-1    on test only", out)
        self.assertNotIn("MUST-11", out)

    def test_code_without_a_test(self):
        self.put("tests/tcp/a_test.cpp", tag("MUST-1") + tag("MUST-11"))
        code, out, _ = self.run_script("--strict")
        self.assertEqual(code, 1)
        self.assertIn("U-5       on code only", out)
        self.assertEqual(self.run_script()[0], 0)

    def test_nowhere(self):
        self.except_("")
        code, out, _ = self.run_script("--strict")
        self.assertEqual(code, 1)
        self.assertIn("SHLD-2    nowhere", out)

    def fails_with(self, message):
        code, _, err = self.run_script()
        self.assertEqual(code, 1)
        self.assertIn(message, err)

    def test_an_unknown_tag(self):
        self.put("src/tcp/b.cpp", "\n" + tag("MUST-99"))
        self.fails_with("src/tcp/b.cpp:2: the tag MUST-99 is in no table")

    def test_a_note_is_no_requirement(self):
        self.put("src/tcp/b.cpp", tag("N-1"))
        self.fails_with("the tag N-1 is in no table")

    def test_an_unknown_exception(self):
        self.except_("SHLD-2\trefused\ton purpose\nMAY-7\tlater\tsoon\n")
        self.fails_with("names MAY-7, which is in no table")

    def test_an_exception_twice(self):
        self.except_("SHLD-2\trefused\ton purpose\nSHLD-2\tlater\tsoon\n")
        self.fails_with("SHLD-2 twice")

    def test_an_exception_without_a_reason(self):
        self.except_("SHLD-2\trefused\t\n")
        self.fails_with("needs one of")

    def test_an_exception_that_the_code_has_outgrown(self):
        self.except_("SHLD-2\trefused\ton purpose\nMUST-1\tlater\tsoon\n")
        self.fails_with("names MUST-1, which is on code and on a test")


if __name__ == "__main__":
    unittest.main()
