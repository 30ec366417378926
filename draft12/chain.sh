cd /tmp/wt/ch12; export MRP_HELPERS_CACHE=/tmp/wt/cache12 OPENBLAS_NUM_THREADS=1
exec 8>/tmp/wt/b12/lock; flock -n 8 || exit 0
[ -e /tmp/wt/b12/done1 ] && exit 0
timeout 900 .venv/bin/python /tmp/wt/b12/run.py > /tmp/wt/o-run 2>&1
touch /tmp/wt/b12/done1
for n in party-republican party-democrat party-answer; do [ -e /tmp/wt/cache12/$n.nc ] && cp /tmp/wt/cache12/$n.nc mrp_helpers/posteriors/; done
[ -e /tmp/wt/b12/res.pkl ] || exit 1
.venv/bin/python /tmp/wt/b12/build.py chapters/12-a-variable-the-census-lacks.ipynb && .venv/bin/python -m ruff format chapters/12*.ipynb && .venv/bin/python tools/execute_notebooks.py chapters/12-a-variable-the-census-lacks.ipynb > /tmp/wt/o-exec 2>&1
