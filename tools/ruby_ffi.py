#!/usr/bin/env python3
"""ruby_ffi.py [--check]: write JetStream's nouns of the Fiddle module from those of the gem.

The gem's are Ruby on top of a few primitives, which are C there and Fiddle here (jetstream_port.rb). Only the module
has another name, and what is said to be written in C is not.

--check writes nothing, and fails when a file is not what it would be.
"""

import argparse
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GEM = "bindings/ruby/lib/polynats/"
FIDDLE = "bindings/ffi/fiddle/polynats_ffi/"
NOUNS = ("jetstream_values", "ack", "publisher", "consumer", "stream", "jetstream")
HEAD = "# frozen_string_literal: true\n"


def converted(text, source):
    text = re.sub(r"\bmodule Polynats\b", "module PolynatsFFI", text)
    text = re.sub(r"\bPolynats\.now\b", "PolynatsFFI.now", text)
    text = text.replace("These are written in C:", "These are in jetstream_port.rb:")
    text = text.replace("In C are parse", "In jetstream_port.rb are parse")
    return text.replace(HEAD, HEAD + "\n# Written by tools/ruby_ffi.py from %s.\n" % source, 1)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true",
                        help="write nothing: is all as it would be?")
    check, stale = parser.parse_args().check, []
    for noun in NOUNS:
        path = FIDDLE + noun + ".rb"
        text = converted(read(GEM + noun + ".rb"), GEM + noun + ".rb")
        if os.path.exists(os.path.join(ROOT, path)) and read(path) == text:
            continue
        stale.append(path)
        if not check:
            with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
                file.write(text)
    for path in stale:
        print(("stale: " if check else "wrote ") + path)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
