#!/usr/bin/env python3
"""docs.py BUILD CC: the programs in docs/*.md work when pasted.

Each block marked c, lua, python, ruby or tcl is run with the server of $NATS_URL, also in the place of
nats://127.0.0.1:4222; it must end well, and say nothing on its standard error if it does not speak of that. Where a
block marked text follows, that is what it prints. A block that makes no client is a part of a program: it gets one
from here.
"""

import os
import shutil
import subprocess
import sys
import tempfile

import readme

DOCS = os.path.join(readme.ROOT, "docs")
C_BEGIN = """#include <polynats.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    nats_client *client;
    const char *subject = "s", *data = "d";
    size_t len = 1;
    if (nats_connect(NULL, NULL, &client) != NATS_OK) {
        return 1;
    }
    (void)subject, (void)data, (void)len;
"""
# A loop over events ends with the client.
C_EVENTS = """    nats_client_close(client);
"""
# The stream was made.
C_STREAM = """    if (nats_js_call(js, "delete_stream", "{\\"stream\\":\\"ORDERS\\"}", NATS_Z, -1, NULL) != NATS_OK) {
        return 1;
    }
    nats_js_free(js);
"""
C_END = """    nats_client_free(client);
    return 0;
}
"""
TCL_BEGIN = """package require polynats
set nc [polynats connect]
$nc subscribe svc.upper -command {apply {msg {$::nc respond $msg [dict get $msg data]}}}
"""
TCL_END = """
after 100 {set done 1}
vwait done
$nc close
"""


def whole(kind, text):
    """The program that a reader would have around it."""
    if kind == "c":
        return "".join([C_BEGIN, C_EVENTS if "next_event" in text else "", text,
                        C_STREAM if "nats_js *js" in text else "", C_END])
    if kind == "tcl" and "polynats connect" not in text:
        return TCL_BEGIN + text + TCL_END
    return text


def python_for(text):
    """An interpreter that has what the program imports: ours, or the one of script/bootstrap; None: neither has."""
    if "gevent" not in text:
        return [sys.executable, "-X", "dev", "-W", "error"]
    ours = os.path.join(readme.ROOT, ".tools", "python", "bin", "python")
    for candidate in (sys.executable, ours):
        if os.path.exists(candidate) and not subprocess.call([candidate, "-c", "import gevent"],
                                                             stderr=subprocess.DEVNULL):
            return [candidate]
    return None


def command_of(kind, text, path, build, compiler):
    if kind == "c":
        program = path[:-2]
        return ["bash", "-c", "%s -std=c11 -Wall -Wextra -Werror %s -o %s -I%s -L%s -lpolynats "
                "-Wl,-rpath,%s && %s" % (compiler, path, program,
                                         os.path.join(readme.ROOT, "libnats", "include"), build,
                                         build, program)]
    if kind == "python":
        return python_for(text) + [path]
    return [{"lua": "lua5.4", "ruby": "ruby", "tcl": "tclsh"}[kind], path]


def environment(build):
    return dict(os.environ, LUA_CPATH=os.path.join(build, "lua", "?.so") + ";;",
                PYTHONPATH=os.path.join(build, "python"), PYTHONDONTWRITEBYTECODE="1",
                RUBYLIB=os.path.join(build, "ruby"), TCLLIBPATH=os.path.join(build, "tcl"))


def run(kind, text, build, compiler):
    """(exit status, what it printed, what it complained of)"""
    with tempfile.TemporaryDirectory(prefix="docs-") as folder:
        path = os.path.join(folder, "program" + readme.SUFFIXES[kind])
        with open(path, "w", encoding="utf-8") as file:
            file.write(whole(kind, text).replace("nats://127.0.0.1:4222", os.environ["NATS_URL"]))
        done = subprocess.run(command_of(kind, text, path, build, compiler), check=False,
                              timeout=readme.RUN_SECONDS, text=True, cwd=folder,
                              env=environment(build), capture_output=True)
        return done.returncode, done.stdout, done.stderr


def play(page, build, compiler, without):
    """Yields what is wrong with a page's programs."""
    with open(os.path.join(DOCS, page), encoding="utf-8") as file:
        blocks = readme.FENCE.findall(file.read())
    for at, (kind, text) in enumerate(blocks):
        where = "%s, block %d (%s)" % (page, at + 1, kind)
        if kind not in readme.SUFFIXES or kind in without:
            continue
        if kind == "python" and python_for(text) is None:
            print("left out, there is no gevent: %s" % where)
            continue
        follows = blocks[at + 1] if at + 1 < len(blocks) else ("", "")
        status, printed, complained = run(kind, text, build, compiler)
        if status != 0 or (complained and "stderr" not in text):
            yield "%s: exit status %d\n%s%s" % (where, status, printed, complained)
        elif follows[0] == "text" and printed != follows[1]:
            yield "%s: expected:\n%sfound:\n%s" % (where, follows[1], printed)
        else:
            print("ok: %s" % where)


def main():
    if len(sys.argv) != 3 or "NATS_URL" not in os.environ:
        sys.exit(__doc__)
    build, compiler = os.path.abspath(sys.argv[1]), sys.argv[2]
    without = list(readme.left_out(build))
    if not shutil.which("lua5.4"):
        without.append("lua")
    wrong = [line for page in sorted(os.listdir(DOCS)) if page.endswith(".md")
             for line in play(page, build, compiler, without)]
    for line in wrong:
        print("FAILED: " + line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
