#!/usr/bin/env bash
# Runs everything on this machine: sets up, builds, starts the example services, runs the pipeline over the sample photos,
# and stops what it started. Usage: scripts/demo.sh [PHOTO|FOLDER…]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh demo
echo "demo: builds farm (minutes the first time)"
make build

mkdir -p demo
python=examples/services/.venv/bin/python3
rm -f demo/ready
"$python" examples/services/serve.py --ports-from examples/services/service_config.json --ready-file demo/ready > demo/services.log 2>&1 &
services=$!
stop() { kill "$services" 2>/dev/null && wait "$services" 2>/dev/null; true; }
trap stop EXIT
echo "demo: starts the example services (log: demo/services.log)"
for _ in $(seq 1 600); do
  [ -e demo/ready ] && break
  kill -0 "$services" 2>/dev/null || { cat demo/services.log >&2; exit 1; }
  sleep 0.1
done
[ -e demo/ready ] || { echo "demo: the services did not start within a minute" >&2; cat demo/services.log >&2; exit 1; }

# A person can look at the photos in a browser until Ctrl-C; without a terminal nobody waits for that.
web=()
if [ -t 1 ]; then web=(--web --listen "${DEMO_LISTEN:-127.0.0.1:8090}"); fi
photos=("$@")
[ ${#photos[@]} -gt 0 ] || photos=(examples/photos)
SERVICE_CONFIG=examples/services/service_config.json FARM_DB=demo/farm.db LOG_LEVEL=WARNING \
  .build/release/farm run "${photos[@]}" --pictures demo/pictures "${web[@]}" || status=$?
echo "demo: look at demo/pictures; ask for more with: FARM_DB=demo/farm.db .build/release/farm show examples/photos/two_dogs.jpg"
exit "${status:-0}"
