"""scripts/check-layering finds each kind of violation, in a tree made for it, and nothing in a clean one."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "check-layering")


class Layering(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="hawser-layering-")
        self.addCleanup(shutil.rmtree, self.root)
        self.put("include/hawser/time.hpp", "#pragma once\n#include <compare>\n")
        self.put("include/hawser/stack.hpp", '#pragma once\n#include "hawser/time.hpp"\n')
        self.put("include/hawser/tun.hpp", "#pragma once\n#include <sys/socket.h>\n")
        self.put("src/tcp/rto.hpp", '#include "wire/tcp.hpp"\n#include "hawser/time.hpp"\n')
        self.put("src/link/tun.cpp", '#include <linux/if_tun.h>\n#include "sim/faults.hpp"\n')
        self.put("src/cli/main.cpp", '#include <iostream>\n#include "observe/ladder.hpp"\n')

    def put(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run_script(self, *arguments):
        done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout.splitlines()

    def assert_clean(self):
        self.assertEqual(self.run_script("--root", self.root), (0, []))

    def assert_one(self, path, text, expected):
        self.put(path, text)
        code, lines = self.run_script("--root", self.root)
        self.assertEqual(code, 1)
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(path), lines[0])
        self.assertIn(expected, lines[0])

    def test_a_clean_tree_is_silent(self):
        self.assert_clean()

    def test_a_higher_folder(self):
        self.assert_one("src/tcp/bad.cpp", '\n#include "stack/stack.hpp"\n', ":2: tcp includes")

    def test_a_higher_public_header(self):
        self.assert_one("src/tcp/bad.cpp", "#include <hawser/stack.hpp>\n", "higher stack")

    def test_a_public_header_of_a_higher_layer(self):
        self.assert_one("include/hawser/time.hpp", '#include "hawser/tun.hpp"\n', "higher link")

    def test_a_public_header_with_internals(self):
        self.assert_one("include/hawser/time.hpp", '#include "core/slab.hpp"\n', "internal")

    def test_a_public_header_without_a_layer(self):
        self.assert_one("include/hawser/unheard_of.hpp", "", "no layer")

    def test_a_folder_without_a_place(self):
        self.put("src/misc/a.cpp", "")
        self.assertEqual(self.run_script("--root", self.root)[0], 1)

    def test_observe_is_for_the_command(self):
        self.assert_one("src/run/bad.cpp", '#include "observe/ladder.hpp"\n', "only cli")

    def test_headers_of_the_system(self):
        for header in ("sys/socket.h", "netinet/in.h", "arpa/inet.h", "linux/tcp.h", "net/if.h",
                       "unistd.h", "pthread.h", "time.h", "ctime", "thread", "mutex",
                       "condition_variable", "iostream", "filesystem", "fcntl.h"):
            with self.subTest(header):
                self.assert_one("src/sim/bad.hpp", f"#include <{header}>\n", "operating system")

    def test_a_public_header_of_the_core_with_the_system(self):
        self.assert_one("include/hawser/stack.hpp", "#include <mutex>\n", "operating system")

    def test_a_clock(self):
        self.assert_one("src/ip/bad.cpp", "auto t = std::chrono::steady_clock::now();\n", "clock")

    def test_a_clock_of_c(self):
        self.assert_one("src/ip/bad.cpp", "int r = clock_gettime(0, &t);\n", "clock")

    def test_thread_local(self):
        self.assert_one("src/udp/bad.cpp", "thread_local int n = 0;\n", "thread_local")

    def test_randomness(self):
        self.assert_one("src/core/bad.cpp", "std::random_device device;\n", "randomness")

    def test_mutable_statics(self):
        for text in ("static int counter = 0;", "static Pool pool;", "static Pool pool{3};",
                     "static const char* name = nullptr;", "void f() {\n  static bool seen = false;\n}",
                     "static inline std::vector<int> all;", "inline const char* name = nullptr;"):
            with self.subTest(text):
                self.assert_one("src/wire/bad.cpp", text + "\n", "mutable static")

    def test_what_only_looks_like_a_violation(self):
        self.put("src/wire/good.cpp", """
            // static int counter = 0; std::chrono::steady_clock::now()
            /* thread_local #include <mutex> */
            static constexpr int kLimit = 60'000;
            static const char* const kName = "static int counter; ::now(";
            static int twice(int n) { return 2 * n; }
            static_assert(sizeof(int) == 4);
            inline namespace v1 { inline constexpr std::array kAll = {1, 2}; }
            template <typename T> inline T twice(T n) { return 2 * n; }
            const auto kMark = '"'; auto c = static_cast<int>(kMark);
            Instant World::now() const { return now_; }
            void on_segment(Instant now); void f() { on_segment(now); }
            """)
        self.put("src/host/good.cpp", "static int n = 0;\nauto t = Clock::now();\n")
        self.assert_clean()


@unittest.skipUnless(shutil.which("g++") and shutil.which("objdump"), "needs a compiler")
class Objects(unittest.TestCase):
    def check(self, code):
        with tempfile.TemporaryDirectory(prefix="hawser-objects-") as root:
            folder = os.path.join(root, "tcp")
            os.mkdir(folder)
            source = os.path.join(folder, "a.cpp")
            with open(source, "w", encoding="utf-8") as file:
                file.write(code)
            subprocess.run(["g++", "-std=c++23", "-O2", "-c", source, "-o", source + ".o"], check=True)
            done = subprocess.run([sys.executable, SCRIPT, "--objects", source + ".o"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.stderr, "")
            return done.returncode, done.stdout

    def test_constants_pass(self):
        self.assertEqual(self.check("""
            #include <array>
            #include <string_view>
            struct Base { virtual ~Base() = default; virtual int f() { return 1; } };
            const std::array<const char*, 2> kNames = {"a", "b"};
            struct Row { int n; std::string_view why; };
            inline constexpr std::array kRows = {Row{1, "a"}, Row{2, "b"}};
            std::string_view why(int n) { return kRows[n].why; }
            Base* make() { return new Base; }
            const char* name(int n) { return kNames[n]; }
            struct Guard { ~Guard(); };
            void may_throw();
            void unwind() { Guard guard; may_throw(); }
            """), (0, ""))

    def test_a_global(self):
        code, out = self.check("int counter = 1; int next() { return counter++; }")
        self.assertEqual(code, 1)
        self.assertIn("writable data: counter", out)

    def test_a_static_of_a_function(self):
        code, out = self.check("int next() { static int counter; return counter++; }")
        self.assertEqual(code, 1)
        self.assertIn("counter", out)

    def test_a_clock(self):
        code, out = self.check("#include <chrono>\nauto f() { return std::chrono::system_clock::now(); }")
        self.assertEqual(code, 1)
        self.assertIn("calls", out)


if __name__ == "__main__":
    unittest.main()
