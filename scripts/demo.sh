#!/usr/bin/env bash
# The whole road on this machine: the bundled clip through the bundled MobileNetV2, a live top-10, records over mutual TLS
# to a real mosquitto, and a separate subscriber that counts them.
# usage: [DEMO_PORT=28883] scripts/demo.sh [options for glimpse run]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
scripts/build.sh release

work=$(mktemp -d)
subscriber=
finish() {
  [ -z "$subscriber" ] || kill "$subscriber" 2>/dev/null || true
  scripts/broker.sh stop --dir "$work/broker" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

# eventually COMMAND...: waits until it is true, for 5 s at most
eventually() {
  for _ in $(seq 100); do
    if "$@"; then return 0; fi
    sleep 0.05
  done
  return 1
}

# A folder and a port of the demo's own, so that a broker of yours goes on undisturbed.
port=${DEMO_PORT:-28883}
broker=$work/broker
scripts/broker.sh start --dir "$broker" --port "$port" >"$work/broker.log" || { cat "$work/broker.log" >&2; exit 69; }
echo "broker: mosquitto on localhost:$port, TLS, client certificates required"

stdbuf -oL mosquitto_sub -h localhost -p "$port" --cafile "$broker/ca.crt" --cert "$broker/subscriber.crt" \
  --key "$broker/subscriber.key" -i subscriber -q 1 -d -t 'glimpse/v1/+/telemetry' >"$work/received" 2>&1 &
subscriber=$!
eventually grep -q Subscribed "$work/received" || { echo "demo: the subscriber could not subscribe:" >&2; cat "$work/received" >&2; exit 69; }

build/glimpse run --config "$broker/glimpse.json" --source tests/data/clip.mp4 --realtime --model demo --interval 500ms "$@" \
  2> >(tee "$work/log" >&2)

eventually grep -q ' frames in ' "$work/log"
summary=$(grep -o '[0-9]* frames in .*' "$work/log" | tail -n 1)
sent=$(sed -n 's/.* \([0-9]*\) acknowledged by the broker.*/\1/p' <<<"$summary")
received() { grep -c '^{' "$work/received" || true; }
all_received() { [ "$(received)" -ge "$sent" ]; }
eventually all_received || true
echo
echo "frames   $(sed 's/ frames in/ in/; s/ dropped;.*/ dropped/' <<<"$summary")"
if [ "$sent" -eq "$(received)" ] && [ "$sent" -gt 0 ]; then
  echo "records  $sent sent = $(received) received by a separate subscriber over mutual TLS"
else
  echo "records  $sent sent, but $(received) received" >&2
  exit 1
fi
