# What AWS is here: the stand-ins, and how they are spoken to. Sourced by rehearse.sh.
# shellcheck shell=bash disable=SC2154 # what it has not of its own is rehearse.sh's

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
  eventually shadow grep -q '^http' "$work/shadow"
  shadows=$(sed -n 's/^http //p' "$work/shadow")
}

start_jobs() {
  start jobs node "$parts/jobs.js" --broker "$broker" --port "$port"
  eventually jobs grep -q '^ready' "$work/jobs"
  mkdir "$work/bucket"
  start files $python -B "$parts/files.py" "$work/bucket" "$broker/server.crt" "$broker/server.key"
  eventually files test -s "$work/files"
}

# In the place of aws iot create-job.
create_job() { # create_job ID DOCUMENT
  mosquitto_pub -h localhost -p "$port" --cafile "$broker/ca.crt" --cert "$broker/subscriber.crt" --key "$broker/subscriber.key" \
    -q 1 -t "\$aws/rehearsal/jobs" -m "{\"thing\": \"$thing\", \"jobId\": \"$1\", \"document\": $2}"
}

call_aws() { # call_aws PORT WORDS...
  AWS_ACCESS_KEY_ID=rehearsal AWS_SECRET_ACCESS_KEY=rehearsal AWS_PAGER='' AWS_CONFIG_FILE=/dev/null \
    "$aws" "${@:2}" --endpoint-url "http://127.0.0.1:$1" --region eu-central-1
}

desire() { # desire JSON
  call_aws "$shadows" iot-data update-thing-shadow --thing-name "$thing" --shadow-name glimpse \
    --cli-binary-format raw-in-base64-out --payload "{\"state\": {\"desired\": $1}}" "$work/answer"
}

dynamodb() { call_aws "$database" dynamodb "$@"; }

query() { # query DEVICE WORDS...: of its records
  dynamodb query --table-name glimpse --key-condition-expression 'device = :d' \
    --expression-attribute-values "{\":d\": {\"S\": \"$1\"}}" "${@:2}"
}
