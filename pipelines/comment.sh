#!/bin/sh
# comment.sh REPOSITORY NUMBER FILE: writes FILE as a comment on a pull request, in place of the one of an earlier run.
# It needs GitHub's command gh, and GH_TOKEN with the right to write on pull requests.
set -eu
repository=$1
number=$2
file=$3
mark=$(head -n 1 "$file")
earlier=$(gh api --paginate "repos/$repository/issues/$number/comments" \
  --jq ".[] | select(.body | startswith(\"$mark\")) | .id" | head -n 1)
if [ -n "$earlier" ]; then
  gh api --silent --method PATCH "repos/$repository/issues/comments/$earlier" --field "body=@$file"
else
  gh api --silent --method POST "repos/$repository/issues/$number/comments" --field "body=@$file"
fi
