#!/usr/bin/env python3
"""Tests of the runner itself: that what must fail does fail. No server is needed."""

import os
import re
import subprocess
import sys
import tempfile
import textwrap
import unittest

sys.dont_write_bytecode = True  # the source tree stays as it is

import casefile
import matrix
import page
import run
import text

HERE = os.path.dirname(os.path.abspath(__file__))

# A driver that says what it is told: `say ok 1` answers `ok 1`.
MOCK = """
import sys
status = 0
for line in sys.stdin:
    words = line.split()
    if words[0] == "hello":
        print("ok hello say dial die hang spoil babble")
    elif words[0] == "say":
        print(" ".join(words[1:]))
    elif words[0] == "spoil":
        status = 5
        print("ok")
    elif words[0] == "babble":
        print("ok\\n.\\nand more")
    elif words[0] == "die":
        sys.exit(3)
    elif words[0] == "hang":
        import time
        time.sleep(60)
    elif words[0] == "dial":
        import socket
        link = socket.create_connection(("127.0.0.1", int(words[1])))
        link.sendall(bytes.fromhex(words[2]))
        link.recv(1)
        print("ok")
    else:
        print("ok")
    print(".", flush=True)
sys.exit(status)
"""


class Matching(unittest.TestCase):
    def match(self, want, got):
        return text.match_line(want, got, {})

    def test_tokens_are_compared_exactly(self):
        self.assertTrue(self.match("msg a - x", "msg a - x"))
        self.assertFalse(self.match("msg a - x", "msg a - y"))
        self.assertFalse(self.match("msg a", "msg a b"))
        self.assertFalse(self.match("msg a b", "msg a"))

    def test_encodings_of_one_byte_are_equal(self):
        self.assertTrue(self.match("ok %41%2F", "ok A/"))
        self.assertTrue(self.match('ok "a b"', "ok a%20b"))
        self.assertFalse(self.match("ok %2d", "ok -"))
        self.assertFalse(self.match('ok ""', "ok -"))

    def test_structure_is_not_lost(self):
        self.assertFalse(self.match("ok A=1,B=2", "ok A=1%2cB%3d2"))

    def test_matchers(self):
        self.assertTrue(self.match("ok * <1..3> ~ell !~x he~", "ok any 3 hello hello hello"))
        self.assertFalse(self.match("ok <1..3>", "ok 4"))
        self.assertFalse(self.match("ok <1..3>", "ok x"))
        self.assertFalse(self.match("ok ~x", "ok hello"))
        self.assertFalse(self.match("ok !~ell", "ok hello"))
        self.assertFalse(self.match("ok el~", "ok hello"))
        self.assertTrue(self.match("ok 1 ...", "ok 1 2 3"))
        self.assertFalse(self.match("ok 1 ...", "ok 2 3"))

    def test_a_star_can_be_asked_for(self):
        self.assertTrue(self.match("ok %2a", "ok *"))
        self.assertFalse(self.match("ok %2a", "ok b"))

    def test_captures_hold_for_later_tokens(self):
        self.assertTrue(self.match("ok {x} {x}", "ok 1 1"))
        self.assertFalse(self.match("ok {x} {x}", "ok 1 2"))

    def test_any_order(self):
        block = [(True, "b"), (True, "a"), (False, "c")]
        self.assertIsNone(text.match_answer(block, ["a", "b", "c"], {}))
        self.assertIsNotNone(text.match_answer(block, ["a", "a", "c"], {}))
        self.assertIsNotNone(text.match_answer(block, ["a", "c"], {}))

    def test_macros(self):
        got = text.substitute("${repeat:x:3} $a $$", {"a": "${words:m:2}"})
        self.assertEqual(got, "xxx m0 m1 $")
        self.assertEqual(text.substitute("${count:$b}", {"b": "a\\r\\n"}, text.escape), "3")
        with self.assertRaises(ValueError):
            text.substitute("$unknown", {})

    def test_bytes_survive_both_notations(self):
        data = bytes(range(256))
        self.assertEqual(text.decode(text.encode(data)), data)
        self.assertEqual(text.unescape(text.escape(data)), data)


class Casts(unittest.TestCase):
    """Which drivers play a case of several roles."""

    @staticmethod
    def columns(drivers, roles, pairs):
        casts = run.casts_of(drivers, roles, pairs)
        return [" ".join(cast[role] for role in roles) for cast in casts]

    def test_each_driver_meets_the_hub_both_ways(self):
        found = self.columns(["c", "lua", "tcl"], ["a", "b"], "hub")
        self.assertEqual(found, ["c c", "c lua", "c tcl", "lua c", "tcl c"])

    def test_all_meet_all(self):
        self.assertEqual(len(self.columns(["c", "lua", "tcl"], ["a", "b"], "all")), 9)

    def test_without_the_hub_all_meet_all(self):
        self.assertEqual(len(self.columns(["lua", "tcl"], ["a", "b"], "hub")), 4)

    def test_one_role_is_played_by_everybody(self):
        self.assertEqual(self.columns(["c", "lua", "tcl"], ["a"], "hub"), ["c", "lua", "tcl"])


class Running(unittest.TestCase):
    """Whole runs with a mock driver."""

    def run_case(self, body, skips=""):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "cases", "area"))
            driver = os.path.join(folder, "mock.py")
            for path, words in (
                (driver, MOCK),
                (os.path.join(folder, "skips.txt"), skips),
                (
                    os.path.join(folder, "cases", "area", "a.case"),
                    "server none\ntimeout 2\ncase one\n# why\n" + textwrap.dedent(body),
                ),
            ):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(words)
            command = [sys.executable, os.path.join(HERE, "run.py")]
            command += ["--server", self.fake_server(folder)]
            command += ["--cases", os.path.join(folder, "cases")]
            command += ["--skips", os.path.join(folder, "skips.txt"), "--build", folder]
            command += ["--try", "%s %s" % (sys.executable, driver)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            return done.returncode, done.stdout + done.stderr

    @staticmethod
    def fake_server(folder):
        """The runner asks a server for its version even if no case needs one."""
        path = os.path.join(folder, "nats-server")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho nats-server: v2.10.5\n")
        os.chmod(path, 0o755)
        return path

    def assert_passes(self, *args, **more):
        code, out = self.run_case(*args, **more)
        self.assertEqual(code, 0, out)
        return out

    def assert_fails(self, part, *args, **more):
        code, out = self.run_case(*args, **more)
        self.assertNotEqual(code, 0, out)
        self.assertIn(part, out)

    def test_a_good_case_passes(self):
        self.assertIn("1 pass", self.assert_passes("> say ok 1\n< ok 1\n"))

    def test_a_wrong_answer_fails_with_a_transcript(self):
        self.assert_fails("expected `ok 2`, got `ok 1`", "> say ok 1\n< ok 2\n")

    def test_an_error_fails_where_nothing_is_expected(self):
        self.assert_fails("expected `ok`", "> say err CLOSED\n")

    def test_a_missing_verb_fails(self):
        self.assert_fails("lacks the verb fly", "> fly\n")

    def test_a_missing_verb_with_a_reason_is_skipped(self):
        out = self.assert_passes("> fly\n", skips="tried verb:fly it has no wings\n")
        self.assertIn("1 skip", out)

    def test_a_listed_verb_that_is_there_fails(self):
        self.assert_fails("has the verb say", "> say ok\n", skips="tried verb:say no reason\n")

    def test_a_listed_case_that_passes_fails(self):
        self.assert_fails("1 xpass", "> say ok\n", skips="tried area/one no reason\n")

    def test_a_listed_case_that_fails_is_skipped(self):
        self.assert_passes("> say err X\n", skips="tried area/one for a reason\n")

    def test_a_skip_without_a_case_fails(self):
        self.assert_fails("no case is called", "> say ok\n", skips="tried area/nine for a reason\n")

    def test_a_skip_without_a_reason_fails(self):
        self.assert_fails("a reason", "> say ok\n", skips="tried area/one\n")

    def test_a_crash_fails(self):
        self.assert_fails("exit status 3", "> die\n")
        self.assert_fails("exit status is 5", "> spoil\n")

    def test_an_answer_that_nobody_asked_for_fails(self):
        self.assert_fails("after its last answer", "> babble\n< ok\n")

    def test_a_case_without_a_command_fails(self):
        self.assert_fails("no command", "")

    def test_a_run_without_a_driver_fails(self):
        command = [sys.executable, os.path.join(HERE, "run.py"), "--server", "/bin/true"]
        command += ["--area", "get", "--driver", "c", "--without", "c"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no driver", done.stderr)

    def test_a_driver_that_hangs_fails(self):
        self.assert_fails("no answer in time", "> hang\n")
        self.assert_fails("no answer in time", "> say ok\nawait\n< ok\n")

    def test_a_started_command_is_awaited(self):
        self.assert_passes("& say ok 1\nawait\n< ok 1\n")
        self.assert_fails("expected `ok 2`", "& say ok 1\nawait\n< ok 2\n")

    def test_every_row_is_a_cell(self):
        self.assert_fails("1 pass, 1 fail", "table x\n| 1\n| 2\n> say ok $x\n< ok 1\n")

    def test_pairs_are_played(self):
        out = self.assert_passes("@a> say ok 1\n< ok 1\n@b> say ok 2\n< ok 2\n")
        self.assertIn("tried→tried", out)

    def test_a_gate_passes_over(self):
        out = self.assert_passes("needs server 2.11\n> say err X\n")
        self.assertIn("1 gate", out)
        self.assert_fails("1 fail", "needs server 2.10\n> say err X\n")

    def test_an_arithmetic_check_fails(self):
        self.assert_fails("does not hold", "> say ok 1\n< ok {x}\n! check {x} = 2\n")

    def test_a_script_that_was_not_followed_fails(self):
        script = "script\n  conn\n    C: PING\n    S: x\nend\n> dial $PORT %s\n"
        self.assert_passes(script % b"PING\r\n".hex())
        self.assert_fails("expected `PING`, got `PONG`", script % b"PONG\r\n".hex())

    def test_a_script_without_a_connection_fails(self):
        self.assert_fails("0 connections were made", "script\n  conn\n    hold\nend\n> say ok\n")


class Reading(unittest.TestCase):
    """Case files that cannot be read are refused."""

    def read(self, body):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "area"))
            path = os.path.join(folder, "area", "a.case")
            with open(path, "w", encoding="utf-8") as file:
                file.write(body)
            return casefile.load(folder)

    def test_a_case_must_say_why(self):
        with self.assertRaises(casefile.CaseError):
            self.read("case one\n> say ok\n")

    def test_names_are_unique(self):
        with self.assertRaises(casefile.CaseError):
            self.read("case one\n# why\n> say ok\ncase one\n# why\n> say ok\n")

    def test_what_is_not_understood_is_refused(self):
        for line in ("nonsense", "< ok", "! sleep 1\n< ok", "table a\n| 1 | 2"):
            with self.assertRaises(casefile.CaseError):
                self.read("case one\n# why\n%s\n" % line)

    def test_all_cases_of_the_tree_can_be_read(self):
        self.assertGreater(len(casefile.load(os.path.join(HERE, "cases"))), 150)


class Errors(unittest.TestCase):
    """docs/jetstream.md: the errors that it lists are had from a real server by a case."""

    RARE = {
        "10008": "a cluster that has no leader just now",
        "10012": "what a server finds wrong that the library does not find first",
        "10013": "consumers made by the API of old clients",
        "10023": "an account that has used up what it may have",
        "10027": "an account with a limit of streams",
        "10076": "a server that answers for others without having it",
        "10164": "an expectation that a server of a cluster looks at early",
        "10185": "a cluster of servers of different versions",
    }

    def test_the_errors_of_the_page_are_had(self):
        with open(os.path.join(HERE, "..", "..", "docs", "jetstream.md"), encoding="utf-8") as page:
            listed = set(re.findall(r"(?m)^\| ((?:\d{5}(?:, )?)+) \|", page.read()))
        numbers = {number for cell in listed for number in cell.split(", ")}
        folder = os.path.join(HERE, "cases", "jetstream")
        cases = ""
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                cases += file.read()
        had = set(re.findall(r"\b1\d{4}\b", cases))
        self.assertGreater(len(numbers), 30)
        self.assertEqual(sorted(numbers - had), sorted(self.RARE))


class Page(unittest.TestCase):
    """docs/conformance.md: what was played is told, and what it does not name is found."""

    SKIPS = [run.Skip(1, "b verb:fork no such thing")]

    def written(self, build):
        first = {"one/x": {"a": "pass", "b": "pass"}, "one/y": {"a": "gate"}}
        matrix.write_part(build, "9", "one", first)
        matrix.write_part(build, "9", "one", {"one/y": {"b": "skip"}, "one/x": {"b": "fail"}}, True)
        matrix.write_part(build, "9", "pair", {"pair/x": {"a→a": "pass", "a→b": "pass"}})
        path = os.path.join(build, "page.md")
        page.write(path, build, ["a", "b"], self.SKIPS)
        return path

    def test_the_counts(self):
        with tempfile.TemporaryDirectory() as build:
            with open(self.written(build), encoding="utf-8") as file:
                told = file.read()
        self.assertIn("| one | 2 | 1 | 0, 1 skipped, **1 failed** |", told)
        self.assertIn("| pair | 1 | 1 | 1 |", told)
        self.assertIn("| **all** | 3 | 2 | 1, 1 skipped, **1 failed** |", told)
        self.assertIn("| b | the verb `fork` | no such thing |", told)

    def test_what_is_not_named_is_found(self):
        with tempfile.TemporaryDirectory() as build:
            path = self.written(build)
            self.assertEqual([], list(page.check(path, ["one", "pair"], ["a", "b"], self.SKIPS)))
            wrong = list(page.check(path, ["one", "pair", "new"], ["a", "c"], []))
        self.assertEqual(4, len(wrong), wrong)


if __name__ == "__main__":
    unittest.main()
