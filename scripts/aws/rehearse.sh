#!/usr/bin/env bash
# The road to AWS on this machine, without an account: mosquitto with mutual TLS and the template's policy as its ACL, the template's
# rule, DynamoDB's API (dynalite), and apt's aws to read the table. With GLIMPSE=/path/to/glimpse it installs and builds nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { # fail STATUS WORDS...
  echo "rehearse: ${*:2}" >&2
  exit "$1"
}

usage() {
  cat <<'TEXT'
usage: [GLIMPSE=FILE] [REHEARSAL_RECORDS=300] scripts/aws/rehearse.sh

Sends records from build/glimpse to a table, the way scripts/aws/up.sh lays it out, and prints what arrived. Needs no account.
  GLIMPSE            the program to try; without it, it is built, and what is needed is installed
  REHEARSAL_RECORDS  how many records to send (default 300)
TEXT
}

case ${1:-} in
  '') ;;
  -h | --help) usage && exit ;;
  *) echo "rehearse: unknown option $1; scripts/aws/rehearse.sh --help" >&2 && exit 64 ;;
esac

if [ -z "${GLIMPSE:-}" ]; then
  scripts/setup.sh --aws
  scripts/build.sh release
  GLIMPSE=build/glimpse
fi
for tool in node npm mosquitto_sub jq; do
  command -v "$tool" >/dev/null || fail 69 "$tool is not installed; run scripts/setup.sh --aws"
done
# Debian's own: apt's yaml and awscli are for it, whatever is first in PATH.
python=/usr/bin/python3
$python -c 'import yaml' 2>/dev/null || fail 69 "Python's yaml is not installed; run scripts/setup.sh --aws"
aws=$(PATH=/usr/bin:$PATH command -v aws) || fail 69 "aws is not installed; run scripts/setup.sh --aws"

template=scripts/aws/glimpse.yaml
parts=scripts/aws/rehearsal
thing=rehearsal-1
records=${REHEARSAL_RECORDS:-300}
SECONDS=0
work=$(mktemp -d)
broker=$work/broker
children=()

finish() {
  for child in "${children[@]}"; do
    kill "$child" 2>/dev/null || true
  done
  scripts/broker.sh stop --dir "$broker" >/dev/null 2>&1 || true
  wait 2>/dev/null || true # quietly: what was ended is no news
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- what AWS is here -------------------------------------------------------------------------------------------------

# start NAME COMMAND...: in the background, its words in $work/NAME and $work/NAME.err.
start() {
  : >"$work/$1"
  "${@:2}" >"$work/$1" 2>"$work/$1.err" &
  children+=($!)
}

# eventually NAME COMMAND...: waits until COMMAND is true, as long as what start began as NAME lives, 60 s at most.
eventually() {
  local child=${children[-1]} deadline=$((SECONDS + 60))
  until "${@:2}"; do
    kill -0 "$child" 2>/dev/null || fail 69 "$1 ended: $(tail -n 1 "$work/$1.err")"
    ((SECONDS < deadline)) || fail 69 "gave up waiting for $1: $(tail -n 1 "$work/$1" "$work/$1.err")"
    sleep 0.05
  done
}

# From npm, once: the lock file says what, to the byte.
install_from_npm() {
  NODE_PATH=$(scripts/aws/rehearsal/install.sh)
  export NODE_PATH
}

start_database() {
  start dynamodb node "$parts/dynamodb.js"
  eventually dynamodb test -s "$work/dynamodb"
  database=$(cat "$work/dynamodb")
}

start_broker() {
  $python -B "$parts/acl.py" "$template" scripts/aws/provisioning.yaml >"$work/acl"
  port=$($python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  local device
  for device in claim "$thing"; do # a certificate for each; glimpse.json is for the last
    scripts/broker.sh start --dir "$broker" --port "$port" --device "$device" --acl "$work/acl" >"$work/broker.log" 2>&1 ||
      fail 69 "no broker: $(tail -n 1 "$work/broker.log")"
  done
}

start_rules() {
  start rules $python -B "$parts/rules.py" --template "$template" --broker "$broker" --port "$port" --dynamodb "$database"
  eventually rules grep -q '^ready' "$work/rules"
}

start_shadows() {
  start shadow node "$parts/shadow.js" --broker "$broker" --port "$port"
  eventually shadow grep -q '^ready' "$work/shadow"
}

# In the place of aws iot-data update-thing-shadow.
desire() { # desire JSON
  mosquitto_pub -h localhost -p "$port" --cafile "$broker/ca.crt" --cert "$broker/subscriber.crt" --key "$broker/subscriber.key" \
    -q 1 -t "\$aws/things/$thing/shadow/name/glimpse/update" -m "{\"state\": {\"desired\": $1}}"
}

dynamodb() {
  AWS_ACCESS_KEY_ID=rehearsal AWS_SECRET_ACCESS_KEY=rehearsal AWS_PAGER='' AWS_CONFIG_FILE=/dev/null \
    "$aws" dynamodb "$@" --endpoint-url "http://127.0.0.1:$database" --region eu-central-1
}

query() { # query DEVICE WORDS...: of its records
  dynamodb query --table-name glimpse --key-condition-expression 'device = :d' \
    --expression-attribute-values "{\":d\": {\"S\": \"$1\"}}" "${@:2}"
}

# --- the steps --------------------------------------------------------------------------------------------------------

# The device, with its own certificate, sends records as another: under that one's topic, and from its own. Neither arrives.
rehearse_forgery() {
  local topic time=0
  for topic in glimpse/v1/another/telemetry "glimpse/v1/$thing/telemetry"; do
    ((time += 1))
    mosquitto_pub -h localhost -p "$port" --cafile "$broker/ca.crt" --cert "$broker/devices/$thing.crt" \
      --key "$broker/devices/$thing.key" -q 1 -t "$topic" -m "{\"device\": \"another\", \"time\": $time, \"time_ms\": $time}"
  done
}

refuse_forgery() { # once records that were sent later are there
  local count
  count=$(query another --select COUNT --query Count)
  echo "forged records      2 sent, $count in the table"
  [ "$count" = 0 ] || fail 1 "a device wrote under another's name"
}

# Another device has but a claim: it exchanges that for a certificate of its own, and sends records as itself.
rehearse_provisioning() {
  local new=rehearsal-2 records=30 count
  start provision node "$parts/provision.js" --broker "$broker" --port "$port"
  eventually provision grep -q '^ready' "$work/provision"
  "$GLIMPSE" provision --claim-cert "$broker/devices/claim.crt" --claim-key "$broker/devices/claim.key" --template fleet --device $new \
    --broker "mqtts://localhost:$port" --ca "$broker/ca.crt" --state "$work/$new" >"$work/glimpse" 2>&1 ||
    fail 70 "glimpse provision: $(tail -n 1 "$work/glimpse")"
  "$GLIMPSE" run --config "$work/$new/identity/glimpse.json" --model demo --source tests/data/clip.mp4 --interval 0 --frames $records \
    >"$work/glimpse" 2>&1 || fail 70 "glimpse: $(tail -n 1 "$work/glimpse")"
  eventually provision has_items $new $records
  count=$(query $new --select COUNT --query Count)
  echo "provisioned         $new by claim; $records records sent as itself, $count in the table"
  [ "$count" = $records ] || fail 1 "what the provisioned device sent did not arrive"
}

has_items() { [ "$(query "$1" --select COUNT --query Count)" -ge "$2" ]; }

# Records: the device sends, the rule writes, aws reads.
rehearse_records() {
  "$GLIMPSE" run --config "$broker/glimpse.json" --model demo --source tests/data/clip.mp4 --interval 0 --frames "$records" \
    >"$work/glimpse" 2>&1 || fail 70 "glimpse: $(tail -n 1 "$work/glimpse")"
  local sent count
  sent=$(sed -n 's/.* \([0-9]*\) acknowledged by the broker.*/\1/p' "$work/glimpse")
  [ -n "$sent" ] || fail 70 "glimpse did not say what it sent: $(tail -n 1 "$work/glimpse")"
  eventually rules all_are_put "$sent"
  count=$(query $thing --select COUNT --query Count)
  echo "records sent        $sent"
  echo "items in the table  $count"
  [ ! -s "$work/rules.err" ] || fail 1 "$(tail -n 1 "$work/rules.err")"
  [ "$sent $count" = "$records $records" ] || fail 1 "expected $records, $sent were sent, $count are in the table"
}

all_are_put() { [ "$(grep -c '^put' "$work/rules")" -ge "$1" ]; }

# Records past the broker: nobody who subscribes to the device sees them, and the table has them.
rehearse_basic_ingest() {
  local count=20 before after overheard
  before=$(grep -c '^put' "$work/rules")
  start listener stdbuf -oL mosquitto_sub -h localhost -p "$port" --cafile "$broker/ca.crt" --cert "$broker/subscriber.crt" \
    --key "$broker/subscriber.key" -d -F 'MESSAGE %t' -t "glimpse/v1/$thing/telemetry"
  eventually listener grep -q '^Subscribed' "$work/listener"
  "$GLIMPSE" run --config "$broker/glimpse.json" --basic-ingest glimpse --model demo --source tests/data/clip.mp4 --interval 0 \
    --frames $count >"$work/glimpse" 2>&1 || fail 70 "glimpse: $(tail -n 1 "$work/glimpse")"
  eventually listener all_are_put $((before + count))
  after=$(query $thing --select COUNT --query Count)
  overheard=$(grep -c '^MESSAGE' "$work/listener" || true)
  echo "by Basic Ingest     $count sent, $((after - before)) in the table, $overheard seen by a subscriber"
  [ "$((after - before)) $overheard" = "$count 0" ] || fail 1 "records by Basic Ingest went wrong"
}

# The last item as aws shows it. Its predictions are cut to the first.
rehearse_reading() {
  query $thing --no-scan-index-forward --max-items 1 >"$work/item"
  jq -e '.Items[0] | {device, time_ms, value, expires, predictions: {L: .predictions.L[:1]}}' "$work/item"
  jq -e --arg thing "$thing" '.Items[0] | .device.S == $thing and (.time_ms.N | tonumber) > 1600000000000 and has("value") and
    (.expires.N | tonumber) == (.time.N | tonumber) + 30 * 86400 and (.predictions.L[0].M | .label.S and .probability.N)' \
    "$work/item" >/dev/null || fail 1 "that item is not what it should be"
}

# The device runs, and from outside its shadow wants int8 in place of float: the records tell how the frames went on.
rehearse_shadow() {
  local asked_ms records=$work/device
  start device "$GLIMPSE" run --config "$broker/glimpse.json" --model demo --source tests/data/clip.mp4 --loop --realtime \
    --interval 0 --shadow --json
  eventually device has_lines 50 "$records"
  eventually device shadow_says '.reported.quantized == false'
  asked_ms=$(date +%s%3N)
  desire '{"quantized": true}'
  eventually device grep -q '"quantized":true' "$records"
  eventually device has_lines $(($(wc -l <"$records") + 50)) "$records"
  eventually device shadow_says '.reported.quantized == .desired.quantized and .reported.errors == null'
  kill "${children[-1]}"
  wait "${children[-1]}" || true
  jq -rs --argjson asked "$asked_ms" '
    map(select(.frames.index != null) | {index: .frames.index, time_ms, quantized: .model.quantized}) |
    (first(.[] | select(.quantized)).time_ms - $asked) as $after |
    [range(1; length) as $at | {lost: (.[$at].index - .[$at - 1].index - 1), since: .[$at - 1].time_ms,
      ms: (.[$at].time_ms - .[$at - 1].time_ms)}] |
    "\($after / 100 | round / 10) s, \(map(.lost) | add) frames lost, longest gap \(map(select(.since >= $asked).ms) | max) ms"' \
    "$records" >"$work/gap" || fail 1 "those records cannot be read"
  echo "shadow              quantized false -> true after $(cat "$work/gap")"
  grep -q ' 0 frames lost,' "$work/gap" || fail 1 "the change of the model cost frames"
}

has_lines() { [ "$(wc -l <"$2")" -ge "$1" ]; }

shadow_says() { tail -n 1 "$work/shadow" | sed -n "s|^$thing/glimpse ||p" | jq -e "$1" >/dev/null 2>&1; }

install_from_npm
start_database
start_broker
start_rules
start_shadows
echo "stand-ins           $("$aws" --version 2>&1 | cut -d ' ' -f 1), dynalite, mosquitto, ours; $(sed -n 's/^ready: /rule: /p' "$work/rules")"
rehearse_forgery
rehearse_records
refuse_forgery
rehearse_reading
rehearse_basic_ingest
rehearse_shadow
rehearse_provisioning
# Here come jobs: a stand-in under start, then a step each.
echo "rehearsed in $SECONDS s"
