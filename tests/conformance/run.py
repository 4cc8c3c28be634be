#!/usr/bin/env python3
"""The conformance suite's runner: plays every case on every driver. README.md tells how."""

import argparse
import concurrent.futures
import fnmatch
import itertools
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading

sys.dont_write_bytecode = True  # the source tree stays as it is

import casefile
import matrix
import natsd
import nginx
import page
import play

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def find_file(build, names):
    """The folder under build that has a file of one of these names."""
    for folder, _, files in os.walk(build):
        for name in names:
            if name in files:
                return folder, os.path.join(folder, name)
    sys.exit("no %s under %s: build first" % (" or ".join(names), build))


# ---- drivers: a new language adds one function here ----


def launch_c(build):
    return [find_file(build, ["conformance_driver_c"])[1]], {}


def launch_lua(build, *words):
    module = find_file(build, ["nats.so"])[0]
    lua = shutil.which("lua5.4") or shutil.which("lua")
    argv = [lua, os.path.join(HERE, "drivers", "driver.lua"), "--api", "lua", *words]
    return argv, {"LUA_CPATH": os.path.join(module, "?.so") + ";;"}


def launch_lua_cqueues(build):
    return launch_lua(build, "--loop", "cqueues")


def launch_lua_luv(build):
    return launch_lua(build, "--loop", "luv")


def launch_luajit(build):
    argv = [shutil.which("luajit"), os.path.join(HERE, "drivers", "driver.lua"), "--api", "luajit"]
    return argv, {
        "LUA_PATH": os.path.join(ROOT, "bindings", "ffi", "luajit", "?.lua") + ";;",
        "POLYNATS_LIB": find_file(build, ["libpolynats.so"])[1],
        "POLYNATS_FFI_H": os.path.join(ROOT, "libnats", "include", "polynats_ffi.h"),
    }


def launch_ctypes(build):
    path = [os.path.join(HERE, "drivers"), os.path.join(ROOT, "bindings", "ffi", "ctypes")]
    return [sys.executable, "-S", "-m", "driver", "--api", "polynats_ffi"], {
        "PYTHONPATH": os.pathsep.join(path),
        # Compiled once, and not into the source tree.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": os.path.join(os.path.abspath(build), "pycache"),
        "POLYNATS_LIB": find_file(build, ["libpolynats.so"])[1],
    }


def launch_python(build, module_name="driver", *words):
    build = os.path.abspath(build)
    file = "_polynats" + sysconfig.get_config_var("EXT_SUFFIX")
    path = [os.path.join(HERE, "drivers"), os.path.dirname(find_file(build, [file])[0])]
    # A build with a sanitizer has an interpreter that loads it first.
    python = shutil.which("python3", path=os.path.join(build, "interpreters")) or sys.executable
    # -m: compiled once, and not into the source tree.
    return [python, "-S", "-X", "dev", "-W", "error", "-m", module_name, *words], {
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": os.path.join(build, "pycache"),
    }


def launch_python_aio(build):
    return launch_python(build, "driver_aio")


def launch_python_green(build):
    argv, env = launch_python(build, "driver_green")
    python = python_with("gevent", argv[0])
    # gevent's own imports warn.
    return [python, "-X", "dev", "-W", "error::ResourceWarning", *argv[argv.index("-m"):]], env


def python_with(package, python):
    """An interpreter that has a package from PyPI: ours, or the one of script/bootstrap."""
    for candidate in (python, os.path.join(ROOT, ".tools", "python", "bin", "python")):
        if os.path.exists(candidate) and not subprocess.call(
                [candidate, "-c", "import %s" % package], stderr=subprocess.DEVNULL):
            return candidate
    sys.exit("no Python with %s: script/bootstrap" % package)


def launch_fiddle(build):
    script = os.path.join(HERE, "drivers", "driver.rb")
    return [shutil.which("ruby"), "--disable-gems", script, "--fiddle"], {
        "RUBYLIB": os.path.join(ROOT, "bindings", "ffi", "fiddle"),
        "POLYNATS_LIB": find_file(build, ["libpolynats.so"])[1],
    }


def launch_ruby(build, *words):
    argv = [shutil.which("ruby"), os.path.join(HERE, "drivers", "driver.rb"), *words]
    return argv, {"RUBYLIB": os.path.join(build, "ruby")}


def launch_ruby_fiber(build):
    return launch_ruby(build, "--fiber")


def launch_tcl(build, *words):
    module = find_file(build, ["polynats_tcl.so"])[0]
    argv = [shutil.which("tclsh"), os.path.join(HERE, "drivers", "driver.tcl"), *words]
    return argv, {"TCLLIBPATH": os.path.dirname(module)}


def launch_tcl_loop(build):
    return launch_tcl(build, "--loop")


DRIVERS = {
    "c": launch_c,
    "lua": launch_lua,
    "luajit": launch_luajit,
    "lua-cqueues": launch_lua_cqueues,
    "lua-luv": launch_lua_luv,
    "python": launch_python,
    "python-aio": launch_python_aio,
    "python-green": launch_python_green,
    "ruby": launch_ruby,
    "ruby-fiber": launch_ruby_fiber,
    "ctypes": launch_ctypes,
    "fiddle": launch_fiddle,
    "tcl": launch_tcl,
    "tcl-loop": launch_tcl_loop,
}
HUB = "c"  # the driver that all others are paired with


# ---- skips ----


class Skip:
    """A line of skips.txt: DRIVER PATTERN reason."""

    def __init__(self, number, line):
        parts = line.split(None, 2)
        if len(parts) < 3:
            sys.exit("skips.txt:%d: a skip needs a driver, a pattern and a reason" % number)
        self.number = number
        self.driver, self.pattern, self.reason = parts
        self.verb = self.pattern[5:] if self.pattern.startswith("verb:") else None

    def has_case(self, case, drivers):
        return (
            self.verb is None
            and (self.driver == "*" or self.driver in drivers)
            and fnmatch.fnmatchcase(case.title, self.pattern)
        )

    def has_verb(self, verb, driver):
        return self.verb == verb and self.driver in ("*", driver)


def read_skips(path):
    with open(path, encoding="utf-8") as file:
        lines = [(n, line.strip()) for n, line in enumerate(file, 1)]
    return [Skip(n, line) for n, line in lines if line and not line.startswith("#")]


# ---- cells ----


class Cell:
    """One case on one driver, or on one driver per role."""

    def __init__(self, case, drivers):
        self.case = case
        self.drivers = drivers  # role -> name
        self.status = None
        self.reason = ""
        self.transcript = []

    @property
    def column(self):
        return "→".join(self.drivers[role] for role in sorted(self.drivers))


def casts_of(drivers, roles, pairs):
    """Who plays: a driver for each role. With pairs "hub", all roles but one at most are the hub's,
    so that each driver meets it both ways; where it does not play, everybody meets everybody."""
    for names in itertools.product(drivers, repeat=len(roles)):
        others = len(names) - names.count(HUB)
        if len(roles) == 1 or pairs == "all" or HUB not in drivers or others <= 1:
            yield dict(zip(roles, names))


def cells_of(cases, drivers, pairs):
    for case in cases:
        for cast in casts_of(drivers, case.roles(), pairs):
            yield Cell(case, cast)


def has_openssl(build):
    """Was it built with POLYNATS_TLS, as it is if nobody said otherwise?"""
    cache = os.path.join(build, "CMakeCache.txt")
    if not os.path.exists(cache):
        return True
    with open(cache, encoding="utf-8") as file:
        return re.search(r"^POLYNATS_TLS:BOOL=(OFF|0|FALSE|NO)$", file.read(), re.M) is None


def gate_reason(case, version, openssl=True):
    """Why this server, or this build, is not one for the case, or None."""
    for need in case.needs:
        if need[-1] == "openssl":
            if openssl != (need == ("openssl",)):
                return "needs a build with%s OpenSSL" % ("out" if openssl else "")
            continue
        below = need[0] == "below"
        bound = tuple(int(part) for part in need[-1].split("."))
        if (version < bound) != below:
            return "needs a server %s %s" % ("below" if below else "from", need[-1])
    return None


class Suite:
    """What all cells need to know."""

    def __init__(self, args, launchers, verbs, skips):
        self.args = args
        self.launchers = launchers
        self.verbs = verbs
        self.skips = skips
        self.version_text, self.version = natsd.version_of(args.server)
        self.openssl = args.build is None or has_openssl(args.build)
        self.local = threading.local()
        self.pools = []

    def servers(self):
        """This worker's servers."""
        if not hasattr(self.local, "servers"):
            self.local.servers = natsd.Servers(self.args.server)
            self.pools.append(self.local.servers)
        return self.local.servers

    def missing_verbs(self, cell):
        """(verbs a driver lacks with leave, verbs it lacks without)"""
        allowed, wrong = [], []
        for role, driver in cell.drivers.items():
            for verb in sorted(cell.case.verbs(role) - self.verbs[driver]):
                skip = next((s for s in self.skips if s.has_verb(verb, driver)), None)
                if skip:
                    allowed.append("%s lacks %s: %s" % (driver, verb, skip.reason))
                else:
                    wrong.append("%s lacks the verb %s" % (driver, verb))
        return allowed, wrong

    def run(self, cell):
        gate = gate_reason(cell.case, self.version, self.openssl)
        if cell.case.nginxes and self.args.no_nginx:
            gate = "there is no nginx"
        allowed, wrong = self.missing_verbs(cell)
        if gate:
            cell.status, cell.reason = "gate", gate
        elif wrong:
            cell.status, cell.reason = "fail", "; ".join(wrong)
        elif allowed:
            cell.status, cell.reason = "skip", "; ".join(allowed)
        else:
            self.play(cell)
        return cell

    def play(self, cell):
        launchers = {role: self.launchers[name] for role, name in cell.drivers.items()}
        game = play.Play(cell.case, launchers, self.servers(), self.version_text,
                         self.args.patience, self.args.nginx)
        try:
            cell.reason = game.run()
        except Exception as problem:  # the runner's own fault must not hide the other cells
            cell.reason = "the runner failed: %r" % problem
        cell.transcript = game.transcript
        cell.status = "fail" if cell.reason else "pass"
        skip = next((s for s in self.skips if s.has_case(cell.case, cell.drivers.values())), None)
        if skip and cell.status == "pass":
            cell.status, cell.reason = "xpass", "passes: take line %d from skips.txt" % skip.number
        elif skip:
            cell.status, cell.reason = "skip", skip.reason

    def end(self):
        for servers in self.pools:
            servers.end()


def stale_skips(suite, cases, whole):
    """Lines of skips.txt that have no use any more."""
    for skip in suite.skips:
        if skip.verb is not None:
            for driver, verbs in suite.verbs.items():
                if skip.driver == driver and skip.verb in verbs:
                    yield "skips.txt:%d: %s has the verb %s" % (skip.number, driver, skip.verb)
        elif whole and not any(fnmatch.fnmatchcase(c.title, skip.pattern) for c in cases):
            yield "skips.txt:%d: no case is called %s" % (skip.number, skip.pattern)


# ---- the command ----


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=".", help="where the drivers' parts were built")
    parser.add_argument("--server", default=os.environ.get("NATS_SERVER_BIN"), help="nats-server")
    parser.add_argument("--nginx", default=nginx.find_program(os.path.join(ROOT, ".tools")),
                        help="the program, for the cases that go through it")
    parser.add_argument("--no-nginx", action="store_true", help="leave those out")
    parser.add_argument("--area", help="only this folder of cases/")
    parser.add_argument("--case", action="append",
                        help="only cases of this name (a glob over area/name), or these")
    parser.add_argument("--real", action="store_true",
                        help="only cases with a real server: others are the same for each")
    parser.add_argument("--driver", action="append", choices=sorted(DRIVERS), help="only these")
    parser.add_argument("--without", action="append", default=[], metavar="DRIVER",
                        help="a driver whose language was not built")
    parser.add_argument("--pairs", choices=("hub", "all"), default="hub",
                        help="cases of several roles: each driver with %s, or all with all" % HUB)
    parser.add_argument("--try", dest="tried", help="a driver's command, to try it")
    parser.add_argument("--cases", default=os.path.join(HERE, "cases"), help="other cases")
    parser.add_argument("--skips", default=os.path.join(HERE, "skips.txt"), help="another list")
    parser.add_argument("--jobs", type=int, default=1, help="cells at once")
    parser.add_argument("--list", action="store_true", help="print the cases and end")
    parser.add_argument("--verbose", action="store_true", help="print every transcript")
    parser.add_argument("--patience", type=float, default=1.0, metavar="TIMES",
                        help="times the limit of each case, for builds that are slower")
    parser.add_argument("--page", metavar="FILE",
                        help="write the table of what was played under --build there, and end")
    parser.add_argument("--check-page", metavar="FILE",
                        help="say what drivers, areas and skips the page does not name, and end")
    parser.add_argument("--repeat", type=int, default=1, help="play each cell so often")
    args = parser.parse_args()
    args.server = args.server or shutil.which("nats-server")
    if not (args.list or args.page or args.check_page or args.server):
        parser.error("no nats-server: give --server or set NATS_SERVER_BIN")
    return args


def show(cell, verbose):
    if cell.status in ("pass", "gate") and not verbose:
        return
    if cell.status == "skip" and not verbose:
        return
    print("---- %s: %s on %s" % (cell.status.upper(), cell.case.title, cell.column))
    print("     %s" % " ".join(cell.case.why))
    for line in cell.transcript:
        print("    " + line)
    if cell.reason:
        print("  " + cell.reason.replace("\n", "\n  "))
        print("  (%s)" % os.path.relpath(cell.case.path, HERE))
    sys.stdout.flush()


def report(args, suite, cells):
    by_title = {}
    for cell in cells:
        row = by_title.setdefault(cell.case.title, {})
        if row.get(cell.column) not in ("fail", "xpass"):
            row[cell.column] = cell.status
    for pairs in (False, True):
        part = {
            title: row for title, row in by_title.items() if any("→" in c for c in row) == pairs
        }
        matrix.print_matrix(part, matrix.columns_of(part))
    if not args.case and not args.tried:
        areas = {}
        for title, row in by_title.items():
            areas.setdefault(title.split("/")[0], {})[title] = row
        for area, part in areas.items():
            matrix.write_part(args.build, suite.version_text, area, part, bool(args.driver))
        matrix.merge(args.build)


def launchers_of(args):
    """name -> (command, environment) of the drivers to play on."""
    names = args.driver or ([] if args.tried else list(DRIVERS))
    names = [name for name in names if name not in args.without]
    launchers = {name: DRIVERS[name](args.build) for name in names}
    if args.tried:
        launchers["tried"] = (shlex.split(args.tried), {})
    return launchers


def play_all(suite, cells):
    """Play the cells; whatever ends the run, no server stays behind."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("ended by SIGTERM"))
    pool = concurrent.futures.ThreadPoolExecutor(suite.args.jobs)
    try:
        for cell in pool.map(suite.run, cells):
            show(cell, suite.args.verbose)
    finally:
        pool.shutdown(cancel_futures=True)
        suite.end()


def do_page(args, cases):
    """Write or check docs/conformance.md."""
    skips = read_skips(args.skips)
    if args.page:
        page.write(args.page, args.build, list(DRIVERS), skips)
        return 0
    areas = sorted({case.title.split("/")[0] for case in cases})
    wrong = list(page.check(args.check_page, areas, DRIVERS, skips))
    for line in wrong:
        print("%s: %s" % (args.check_page, line))
    if wrong:
        print("write it anew: %s" % page.HOW)
    return 1 if wrong else 0


def main():
    args = parse_args()
    try:
        cases = casefile.load(args.cases, args.area)
    except casefile.CaseError as problem:
        sys.exit(str(problem))
    if args.page or args.check_page:
        return do_page(args, cases)
    if args.case:
        cases = [case for case in cases
                 if any(fnmatch.fnmatchcase(case.title, name) for name in args.case)]
    if args.real:
        cases = [case for case in cases if case.servers]
    if not cases:
        sys.exit("no such cases")
    if args.list:
        for case in cases:
            print("%-60s %s" % (case.title, " ".join(case.why)))
        return 0

    launchers = launchers_of(args)
    drivers = list(launchers)
    if not drivers:
        sys.exit("no driver is left to play on")
    try:
        verbs = {name: play.hello(*launchers[name]) for name in drivers}
    except play.Failed as problem:
        sys.exit("a driver does not start: %s" % problem)
    suite = Suite(args, launchers, verbs, read_skips(args.skips))
    cells = [cell for _ in range(args.repeat) for cell in cells_of(cases, drivers, args.pairs)]
    play_all(suite, cells)
    report(args, suite, cells)
    stale = list(stale_skips(suite, cases, not args.area and not args.case))
    for line in stale:
        print(line)
    tally = {s: sum(c.status == s for c in cells) for s in matrix.SHORT}
    print(
        "nats-server %s: %d cells of %d cases: %s"
        % (
            suite.version_text,
            len(cells),
            len(cases),
            ", ".join("%d %s" % (n, s) for s, n in tally.items() if n),
        )
    )
    return 1 if stale or tally["fail"] or tally["xpass"] else 0


if __name__ == "__main__":
    sys.exit(main())
