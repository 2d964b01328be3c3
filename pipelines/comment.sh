#!/bin/sh
# comment.sh REPOSITORY NUMBER FILE: writes FILE as a comment on a pull request; see comment.py.
exec python3 "$(dirname "$0")/comment.py" "$@"
