#!/bin/bash
# The step "Build" of action.yml: builds the modules, and before them those of the commit that a pull request is
# against, so that the sizes can be compared. MANIFEST, OUTPUT, OPTIONS and BASE (or nothing) say what.
set -eo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${RUNNER_TEMP:-$(mktemp -d)}
read -ra options <<< "${OPTIONS-}"
report=$work/fastlua-report.json
before=$work/fastlua-before.json
sizes=$work/fastlua-sizes.md

fastlua build "$MANIFEST" -o "$OUTPUT" --json "${options[@]}" > "$report"

# Only of use if it can be built: the manifest may be new, or the old commit broken.
rm -f "$before"
if [ -n "${BASE-}" ] && git fetch --quiet --depth=1 origin "$BASE"; then
  git worktree add --quiet --force --detach "$work/fastlua-base" "$BASE"
  (cd "$work/fastlua-base" && fastlua build "$MANIFEST" -o "$work/fastlua-old" --json "${options[@]}" > "$before") ||
    rm -f "$before"
  git worktree remove --force "$work/fastlua-base"
fi

if [ -f "$before" ]; then
  python3 "$here/sizes.py" "$report" "$before" > "$sizes"
else
  python3 "$here/sizes.py" "$report" > "$sizes"
fi
cat "$sizes" >> "${GITHUB_STEP_SUMMARY:-/dev/stdout}"
{
  echo "report=$report"
  echo "sizes=$sizes"
  echo "bundle=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["bundle"])' "$report")"
} >> "${GITHUB_OUTPUT:-/dev/stdout}"
