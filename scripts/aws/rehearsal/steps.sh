# What is rehearsed, a function each. Sourced by rehearse.sh.
# shellcheck shell=bash disable=SC2154 # what it has not of its own is rehearse.sh's

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
  how_frames_went_on "$asked_ms" "$records"
  echo "shadow              quantized false -> true after $(cat "$work/gap")"
  grep -q ' 0 frames lost,' "$work/gap" || fail 1 "the change of the model cost frames"
}

# From float to int8 at that time, in $work/gap.
how_frames_went_on() { # how_frames_went_on ASKED_MS RECORDS
  jq -rs --argjson asked "$1" '
    map(select(.frames.index != null) | {index: .frames.index, time_ms, quantized: .model.quantized}) |
    (first(.[] | select(.quantized)).time_ms - $asked) as $after |
    [range(1; length) as $at | {lost: (.[$at].index - .[$at - 1].index - 1), since: .[$at - 1].time_ms,
      ms: (.[$at].time_ms - .[$at - 1].time_ms)}] |
    "\($after / 100 | round / 10) s, \(map(.lost) | add) frames lost, longest gap \(map(select(.since >= $asked).ms) | max) ms"' \
    "$2" >"$work/gap" || fail 1 "those records cannot be read"
}

# A job installs a copy of the demo model under another name, in int8, while frames flow in float; the next start begins with it.
rehearse_job() {
  local archive=$work/bucket/birds.tar.gz document created_ms records=$work/device
  tar -C models/demo -czf "$archive" manifest.json float.pt int8.pt
  document=$(jq -cn --arg url "https://localhost:$(cat "$work/files")/birds.tar.gz" --argjson size "$(stat -c %s "$archive")" \
    --arg sha256 "$(sha256sum "$archive" | cut -d ' ' -f 1)" \
    '{operation: "install-model", name: "birds", url: $url, sha256: $sha256, size: $size, quantized: true}')
  start device "$GLIMPSE" run --config "$broker/glimpse.json" --model demo --source tests/data/clip.mp4 --loop --realtime \
    --interval 0 --jobs --state "$work/state" --json
  eventually device has_lines 50 "$records"
  created_ms=$(date +%s%3N)
  create_job install-birds "$document"
  eventually device grep -q "^$thing/install-birds SUCCEEDED" "$work/jobs"
  eventually device has_lines $(($(wc -l <"$records") + 50)) "$records"
  kill "${children[-1]}"
  wait "${children[-1]}" || true
  how_frames_went_on "$created_ms" "$records"
  echo "job                 birds runs after $(cat "$work/gap")"
  grep -q ' 0 frames lost,' "$work/gap" || fail 1 "the job cost frames"
  "$GLIMPSE" run --config "$broker/glimpse.json" --model demo --source tests/data/clip.mp4 --frames 1 --jobs --state "$work/state" \
    >"$work/glimpse" 2>&1 || fail 70 "glimpse: $(tail -n 1 "$work/glimpse")"
  grep -q "^model birds int8 ($work/state/models/birds," "$work/glimpse" || fail 1 "the next start did not begin with the job's model"
}

has_lines() { [ "$(wc -l <"$2")" -ge "$1" ]; }

shadow_says() { tail -n 1 "$work/shadow" | sed -n "s|^$thing/glimpse ||p" | jq -e "$1" >/dev/null 2>&1; }
