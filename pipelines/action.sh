#!/bin/sh
# action.sh [build | measure]: the steps of action.yml, for a runner that starts them by a shell; see action.py.
exec python3 "$(dirname "$0")/action.py" "${1:-build}"
