"""Reading case files: what a case is, and how its tables make many of it. See README.md."""

import itertools
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


class CaseError(Exception):
    """A case file that cannot be read."""


class Step:
    """One thing a case does: kind is command, start, await or directive."""

    def __init__(self, number, kind, role, text, until=False):
        self.number = number
        self.kind = kind
        self.role = role
        self.text = text
        self.until = until
        self.expected = []  # (in any order, line)


class Case:
    """One case, or one row of one."""

    def __init__(self, area, path, name):
        self.area = area
        self.path = path
        self.name = name
        self.why = []
        self.servers = {}  # name -> (config, private)
        self.scripts = {}  # listener -> [(line number, text)]
        self.proxies = {}  # name -> the server behind it
        self.nginxes = {}  # name -> the server behind it
        self.needs = []
        self.timeout = 10.0
        self.env = {}
        self.splits = False
        self.tables = []
        self.steps = []
        self.row = {}

    @property
    def title(self):
        return "%s/%s" % (self.area, self.name)

    def wants_keys(self):
        """Does it name keys or certificates? They take a second to make."""
        words = [step.text for step in self.steps]
        words += list(self.row.values()) + list(self.env.values())
        named = re.compile(r"\$(KEYS|NKEY|JWT|CA_TEXT|USER_|BEARER|LIMITED)")
        return any(named.search(word) for word in words)

    def roles(self):
        return sorted({s.role for s in self.steps if s.role}) or ["a"]

    def verbs(self, role):
        """The verbs that a role's driver must have."""
        return {
            s.text.split()[0]
            for s in self.steps
            if s.kind in ("command", "start") and s.role == role
        }

    def copy(self, name, row):
        twin = Case(self.area, self.path, name)
        for key in ("why", "servers", "scripts", "proxies", "nginxes", "needs", "timeout", "env",
                    "splits", "steps"):
            setattr(twin, key, getattr(self, key))
        twin.row = row
        return twin

    def expand(self):
        """The case itself, or one case for each combination of its tables' rows."""
        if not self.tables:
            return [self]
        cases = []
        for rows in itertools.product(*self.tables):
            row = {}
            for part in rows:
                row.update(part)
            name = "/".join([self.name] + [part[ROW_NAME] for part in rows])
            cases.append(self.copy(name, row))
        return cases


ROW_NAME = ""  # no column can be called so


def read_rows(columns, lines, where):
    rows = []
    for number, line in lines:
        cells = [cell.strip() for cell in line.strip().lstrip("|").split("|")]
        if len(cells) != len(columns):
            found = (where, number, len(cells), len(columns))
            raise CaseError("%s:%d: %d cells, %d columns" % found)
        rows.append(dict(zip(columns, cells)))
    return name_rows(columns, rows)


def name_rows(columns, rows):
    """A row is called by its first cell, or by all of them where that is not enough."""
    firsts = [row[columns[0]] for row in rows]
    for row in rows:
        first = row[columns[0]]
        row[ROW_NAME] = first if firsts.count(first) == 1 else ",".join(row.values())
    return rows


def shared_table(name, where):
    """Rows of tables/NAME.table: its first line names the columns."""
    path = os.path.join(HERE, "tables", name + ".table")
    if not os.path.exists(path):
        raise CaseError("%s: no table %s" % (where, path))
    with open(path, encoding="utf-8") as file:
        lines = [
            (n, line) for n, line in enumerate(file, 1) if line.strip() and not line.startswith("#")
        ]
    return read_rows(lines[0][1].split(), lines[1:], path)


COMMAND = re.compile(r"^(?:@(\w+))?(>~?|&)(?:x(\d+))? ?(.*)$")
EXPECT = re.compile(r"^<(~)?(?:x(\d+))? (.*)$")
HEADERS = {"server", "also", "proxy", "nginx", "needs", "timeout", "env", "splits", "table",
           "script"}


class Reader:
    """Reads one file, line by line."""

    def __init__(self, area, path):
        self.area = area
        self.path = path
        self.defaults = Case(area, path, "")  # what is said before the first case holds for all
        self.case = None
        self.cases = []
        self.script = None
        self.columns = None
        self.rows = []
        self.last = []  # the steps of the line before: more than one when it is repeated
        self.repeated = False

    def fail(self, number, text):
        raise CaseError("%s:%d: %s" % (self.path, number, text))

    def read(self):
        with open(self.path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                self.line(number, line.strip())
        self.end_table()
        if self.script is not None:
            self.fail(number, "the script has no end")
        for case in self.cases:
            if not case.why:
                self.fail(0, "case %s does not say why it is there" % case.name)
            if all(step.kind == "directive" for step in case.steps):
                self.fail(0, "case %s has no command" % case.name)
        return [small for case in self.cases for small in case.expand()]

    def line(self, number, line):
        if self.script is not None:
            self.script_line(number, line)
            return
        if line.startswith("|"):
            self.rows.append((number, line))
            return
        self.end_table()
        if not line:
            return
        if line.startswith("#"):
            if self.case and not self.case.steps:
                self.case.why.append(line[1:].strip())
            return
        word = line.split()[0]
        if word == "case":
            self.start_case(line.split()[1])
        elif word in HEADERS:
            self.header(number, word, line)
        else:
            self.body(number, line)

    def start_case(self, name):
        self.case = Case(self.area, self.path, name)
        for key in ("servers", "scripts", "proxies", "nginxes", "needs", "env"):
            setattr(self.case, key, getattr(self.defaults, key).copy())
        self.case.timeout, self.case.splits = self.defaults.timeout, self.defaults.splits
        self.cases.append(self.case)

    def header(self, number, word, line):
        case, args = self.case or self.defaults, line.split()[1:]
        if word in ("server", "also"):
            name = "server" if word == "server" else "b"
            case.servers.pop(name, None)
            case.scripts.pop(name, None)
            if args[0] != "none":
                case.servers[name] = (args[0], "private" in args[1:])
        elif word == "proxy":
            case.proxies[args[0]] = args[1] if len(args) > 1 else "server"
        elif word == "nginx":
            case.nginxes[args[0]] = args[1] if len(args) > 1 else "server"
        elif word == "needs":
            if args not in (["openssl"], ["no", "openssl"]) and args[0] != "server":
                self.fail(number, "needs server …, openssl, or no openssl")
            case.needs.append(tuple(args[1:] if args[0] == "server" else args))
        elif word == "timeout":
            case.timeout = float(args[0])
        elif word == "env":
            key, _, value = args[0].partition("=")
            case.env = dict(case.env, **{key: value})
        elif word == "splits":
            case.splits = True
        elif word == "script":
            self.script = case.scripts
            self.listener = args[0] if args else "server"
            self.script[self.listener] = []
            case.servers.pop(self.listener, None)
        elif args[0].startswith("@"):
            case.tables.append(shared_table(args[0][1:], "%s:%d" % (self.path, number)))
        else:
            self.columns = args

    def end_table(self):
        if self.columns is None:
            return
        self.case.tables.append(read_rows(self.columns, self.rows, self.path))
        self.columns, self.rows = None, []

    def script_line(self, number, line):
        if line == "end":
            self.script = None
        elif line and not line.startswith("#"):
            self.script[self.listener].append((number, line))

    def body(self, number, line):
        if self.case is None:
            self.fail(number, "before the first case: %s" % line)
        steps = self.case.steps
        if line.startswith("<"):
            self.expectation(number, line)
        elif line.startswith("!"):
            steps.append(Step(number, "directive", None, line[1:].strip()))
        elif line.split()[0] == "await":
            role = (line.split() + ["@a"])[1].lstrip("@")
            self.repeated = False
            self.last = [Step(number, "await", role, "await")]
            steps += self.last
        else:
            found = COMMAND.match(line)
            if not found or not found.group(4):
                self.fail(number, "cannot read: %s" % line)
            role, arrow, count, text = found.groups()
            self.repeated = bool(count)
            self.last = []
            for index in range(int(count or 1)):
                words = text.replace("#", str(index)) if count else text
                kind = "start" if arrow == "&" else "command"
                self.last.append(Step(number, kind, role or "a", words, arrow == ">~"))
            steps += self.last

    def expectation(self, number, line):
        found = EXPECT.match(line)
        if not found or not self.case.steps or self.case.steps[-1].kind in ("start", "directive"):
            self.fail(number, "no answer is expected here: %s" % line)
        free, count, text = found.groups()
        if self.repeated:
            for index, step in enumerate(self.last):
                step.expected.append((bool(free), text.replace("#", str(index))))
            return
        for index in range(int(count or 1)):
            words = text.replace("#", str(index)) if count else text
            self.last[0].expected.append((bool(free), words))


def load(root, area=None):
    """All cases under root, by area and name."""
    cases = []
    for name in sorted(os.listdir(root)):
        folder = os.path.join(root, name)
        if not os.path.isdir(folder) or (area and name != area):
            continue
        for file in sorted(os.listdir(folder)):
            if file.endswith(".case"):
                cases += Reader(name, os.path.join(folder, file)).read()
    seen = set()
    for case in cases:
        if case.title in seen:
            raise CaseError("%s: two cases are called %s" % (case.path, case.title))
        seen.add(case.title)
    return cases
