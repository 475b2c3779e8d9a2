#!/usr/bin/env bash
# The road to AWS on this machine, without an account: mosquitto with mutual TLS and the template's policy as its ACL, the template's
# rule, DynamoDB's API (dynalite), services of ours for shadow, jobs and provisioning, and apt's aws.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { # fail STATUS WORDS...
  echo "rehearse: ${*:2}" >&2
  exit "$1"
}

usage() {
  cat <<'TEXT'
usage: [GLIMPSE=FILE] [REHEARSAL_RECORDS=300] scripts/aws/rehearse.sh

Sends records from build/glimpse to a table, the way scripts/aws/up.sh lays it out, and prints what arrived; then switches and
installs models from outside, and provisions a device. Needs no account.
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

# shellcheck source=scripts/aws/rehearsal/stand_ins.sh
source "$parts/stand_ins.sh"
# shellcheck source=scripts/aws/rehearsal/steps.sh
source "$parts/steps.sh"

install_from_npm
start_database
start_broker
start_rules
start_shadows
start_jobs
echo "stand-ins           $("$aws" --version 2>&1 | cut -d ' ' -f 1), dynalite, mosquitto, ours; $(sed -n 's/^ready: /rule: /p' "$work/rules")"
rehearse_forgery
rehearse_records
refuse_forgery
rehearse_reading
rehearse_basic_ingest
rehearse_shadow
rehearse_job
rehearse_provisioning
echo "rehearsed in $SECONDS s"
