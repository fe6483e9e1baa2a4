#!/bin/sh
# Prints URL, WALLET, TILL and OPERATOR of a running demo, for a shell to take over:
#     eval "$(examples/env.sh)"
# The ready file is the demo's; another one is named as the first argument.
set -eu
exec python3 - "${1:-demo-data/ready.json}" <<'PYTHON'
import json, shlex, sys
try:
    with open(sys.argv[1], encoding="utf-8") as file:
        ready = json.load(file)
except OSError as missing:
    sys.exit(f"{missing.filename} cannot be read: start `make demo`, or name another ready file.")
for name, value in {
    "URL": ready["url"],
    "WALLET": ready["customers"][0]["token"],
    "TILL": ready["merchants"][0]["api_key"],
    "OPERATOR": ready["operator"]["token"],
}.items():
    print(f"export {name}={shlex.quote(value)}")
PYTHON
