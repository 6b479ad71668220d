#!/usr/bin/env bash
# Resolve the lowest direct dependencies into constraints/lowest.txt. Needs uv on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
sed -n 's/^torch==/torch==/p' constraints/tested.txt > "$scratch/torch.txt"
uv pip compile -q --resolution lowest-direct --extra test pyproject.toml --python-version 3.11 \
    -c "$scratch/torch.txt" --no-emit-index-url --no-annotate --no-header -o "$scratch/lowest.txt"
{
    echo "# The lowest version of each direct dependency that pyproject.toml allows, as uv resolves them:"
    echo "#   make lowest"
    echo "# torch is the exception: 2.11, the lowest, has no build for CPUs alone to test with."
    grep -v -i -E '^(nvidia-|triton|cuda-)' "$scratch/lowest.txt"
} > constraints/lowest.txt
