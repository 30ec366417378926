#!/bin/sh
# Put the three source files of the data into a folder (the argument), unless it exists.
# They are part of the source distribution of Bambi 0.17.2; tools/make_data.py verifies them.
set -eu
cd "${0%/*}/.."
folder=$1
[ -d "$folder" ] && exit 0

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo "Getting the source files of the data (73 MB) into $folder."
.venv/bin/python -m pip download -qq --disable-pip-version-check --no-deps --no-binary bambi \
    --dest "$scratch" bambi==0.17.2
tar -xzf "$scratch/bambi-0.17.2.tar.gz" -C "$scratch"
mkdir "$folder"
for name in cces18_common_vv.csv.gz poststrat_df.csv statelevel_predictors.csv; do
    cp "$scratch/bambi-0.17.2/docs/notebooks/data/mr_p_$name" "$folder"
done
