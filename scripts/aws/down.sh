#!/usr/bin/env bash
# Removes what up.sh made: one device (its records stay), or everything, records included.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/aws/down.sh [--thing NAME] [--region R] [--stack S] [--dir DIR] [--yes] [--dry-run]
  --thing NAME  this device alone: its certificate is revoked, its key here is deleted, its records stay
                (without: every device of the stack, and the table with all records)
  --region R    AWS's region                                   (AWS_REGION, else that of aws configure)
  --stack S     what its devices share                         (glimpse)
  --dir DIR     where up.sh put the device's key               (.local/aws/NAME in the repository)
  --yes         do not ask before records are deleted
  --dry-run     show every call to AWS, make none, delete nothing
TEXT
}

# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
parse "$@"

# The devices of the stack into $devices, lines of "STACK THING". With --dry-run one, THING.
list_devices() {
  instead=
  call cloudformation describe-stacks --output json
  devices="$stack-THING THING"
  if $dry_run; then
    echo "down: THING stands for each device of the stack" >&2
    return
  fi
  devices=$(jq -r --arg stack "$stack" '.Stacks[] | select(.StackName != $stack)
    | {name: .StackName, tags: ((.Tags // []) | from_entries)} | select(.tags.glimpse == $stack)
    | "\(.name) \(.tags["glimpse-thing"])"' <<<"$answer")
}

# delete STACK
delete() {
  $dry_run || echo "stack $1: deleting"
  call cloudformation delete-stack --stack-name "$1"
  try cloudformation wait stack-delete-complete --stack-name "$1" && return
  grep -q 'terminal failure state' "$errors" && explain_stack "$1"
  explain
}

# remove_device STACK THING: from this moment on AWS lets it in no more, whatever happens to the rest.
remove_device() {
  local certificate=
  instead=CERTIFICATE_ID
  if try cloudformation describe-stack-resource --stack-name "$1" --logical-resource-id Certificate \
    --query StackResourceDetail.PhysicalResourceId --output text; then
    certificate=$answer
    try iot update-certificate --certificate-id "$certificate" --new-status INACTIVE ||
      grep -q ResourceNotFound "$errors" || explain
  else
    grep -q 'does not exist' "$errors" || explain # half deployed: it never had one
  fi
  delete "$1"
  $dry_run || remove_files "$2" "$certificate"
}

# remove_files THING CERTIFICATE_ID: what up.sh wrote, where it is of that very certificate. AWS names one by its SHA-256.
remove_files() {
  local folder=$root/.local/aws/$1
  [ -z "$thing" ] || folder=$dir
  if [ "$(openssl x509 -in "$folder/device.crt" -outform der 2>/dev/null | sha256sum | cut -d ' ' -f 1)" = "$2" ]; then
    rm -f "$folder"/device.{key,csr,crt} "$folder"/AmazonRootCA.pem "$folder"/glimpse.json
    rmdir "$folder" 2>/dev/null || true
  fi
  echo "$1 is gone; its certificate is void"
}

if [ -n "$thing" ]; then
  name=$(thing_stack "$thing")
  look_at "$name"
  if [ "$status" = NONE ] && ! $dry_run; then
    list_devices
    fail 66 "there is no device $thing on stack $stack in $region; it has: $(awk '{print $2}' <<<"$devices" | paste -sd ' ' | grep . || echo none)"
  fi
  [ "$status" = DELETE_IN_PROGRESS ] || refuse_while_busy "$name"
  remove_device "$name" "$thing"
  exit
fi

look_at "$stack"
[ "$status" = DELETE_IN_PROGRESS ] || refuse_while_busy "$stack"
shared=$status
list_devices
if [ "$shared" = NONE ] && [ -z "$devices" ] && ! $dry_run; then
  echo "nothing to remove: there is no stack $stack in $region"
  exit
fi

if ! $yes && ! $dry_run; then
  echo "This deletes in $region: table $stack with every record in it, its rule and policy, and the devices:" \
    "$(awk '{print $2}' <<<"$devices" | paste -sd ' ' | grep . || echo none)"
  printf 'Type %s to go on: ' "$stack"
  read -r reply || true
  [ "${reply:-}" = "$stack" ] || fail 1 "nothing was deleted"
fi

while read -r name device; do
  [ -z "$name" ] || remove_device "$name" "$device"
done <<<"$devices"
if [ "$shared" != NONE ] || $dry_run; then
  $dry_run || echo "stack $stack: AWS makes a thing type wait five minutes before it can be deleted"
  delete "$stack"
fi
$dry_run || echo "stack $stack is gone"
