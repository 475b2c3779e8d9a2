#!/usr/bin/env bash
# A device on AWS IoT Core: makes its key here, deploys scripts/aws/glimpse.yaml, writes its glimpse.json. Can be run again.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/aws/up.sh --thing NAME [--region R] [--stack S] [--dir DIR] [--dry-run]
  --thing NAME  the device: AWS's thing name and MQTT client id
  --region R    AWS's region                                   (AWS_REGION, else that of aws configure)
  --stack S     what its devices share: table, rule, policy    (glimpse)
  --dir DIR     where key, certificate and glimpse.json go     (.local/aws/NAME in the repository)
  --dry-run     show every call to AWS, make none, write nothing
TEXT
}

# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
parse "$@"
[ -n "$thing" ] || { usage >&2 && exit 64; }
umask 077 # what is made here is for its owner alone

# The authorities of AWS IoT's data endpoints (RSA and EC), as Debian packs and signs them. The variable is for the tests.
ca_folder=${GLIMPSE_CA_FOLDER:-/usr/share/ca-certificates/mozilla}
ca_files=("$ca_folder"/Amazon_Root_CA_{1,2,3,4}.crt)
for file in "${ca_files[@]}"; do
  [ -s "$file" ] || fail 69 "$file is missing; run: apt-get install --reinstall ca-certificates"
done

# put FILE: standard input becomes FILE, whole or not at all.
put() {
  { cat >"$1.new" && mv "$1.new" "$1"; } 2>/dev/null || fail 73 "cannot write $1"
}

make_key() {
  if $dry_run; then
    [ -s "$dir/device.key" ] || show openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/device.key"
    [ -s "$dir/device.csr" ] || show openssl req -new -key "$dir/device.key" -subj "/CN=${thing:0:64}" -out "$dir/device.csr"
    return
  fi
  mkdir -p "$dir" 2>/dev/null || fail 73 "cannot make the folder $dir; choose another with --dir"
  [ -s "$dir/device.key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null | put "$dir/device.key"
  openssl pkey -in "$dir/device.key" -noout 2>/dev/null || fail 65 "$dir/device.key is no key; move it away and run up.sh again"
  # Made once: another request, even of the same key, would be another certificate.
  [ -s "$dir/device.csr" ] || openssl req -new -key "$dir/device.key" -subj "/CN=${thing:0:64}" | put "$dir/device.csr"
}

# deploy STACK TAGS PARAMETERS: its status is $status.
deploy() {
  local name=$1 tags parameters
  read -ra tags <<<"$2"
  shift 2
  parameters=("$@")
  refuse_while_busy "$name"
  case $status in
    ROLLBACK_COMPLETE) # a creation that failed; nothing of it is left but its name
      call cloudformation delete-stack --stack-name "$name"
      call cloudformation wait stack-delete-complete --stack-name "$name"
      ;;
    CREATE_FAILED | ROLLBACK_FAILED | DELETE_FAILED)
      fail 69 "stack $name was left half done ($status); remove it, then run up.sh again:" \
        "scripts/aws/down.sh --stack $stack${parameters[*]:+ --thing $thing}" ;;
    UPDATE_ROLLBACK_FAILED)
      fail 69 "stack $name is stuck ($status); run: aws cloudformation continue-update-rollback --stack-name $name --region $region" ;;
  esac
  $dry_run || echo "stack $name: deploying"
  try cloudformation deploy --stack-name "$name" --template-file "$here/glimpse.yaml" --no-fail-on-empty-changeset \
    --capabilities CAPABILITY_IAM --tags "${tags[@]}" ${parameters[@]:+--parameter-overrides "${parameters[@]}"} && return
  if grep -q 'Failed to create/update the stack' "$errors"; then explain_stack "$name"; fi
  explain "stack $name: "
}

deploy_thing() {
  local name
  name=$(thing_stack "$thing")
  look_at "$name"
  if ! $dry_run && [ ! -s "$dir/device.key" ]; then
    case $status in
      NONE | ROLLBACK_COMPLETE | REVIEW_IN_PROGRESS) ;;
      *) fail 77 "$thing is up already, with a key that is not in $dir; name its folder with --dir, or revoke it first:" \
        "scripts/aws/down.sh --stack $stack --thing $thing" ;;
    esac
  fi
  make_key
  deploy "$name" "glimpse=$stack glimpse-thing=$thing" "Thing=$thing" "Shared=$stack" "Csr=$(cat "$dir/device.csr" 2>/dev/null)"
  # CloudFormation cannot give a thing its type.
  call iot update-thing --thing-name "$thing" --thing-type-name "$stack"
  instead=CERTIFICATE_ID
  call cloudformation describe-stacks --stack-name "$name" --query "Stacks[0].Outputs[?OutputKey=='CertificateId'].OutputValue" \
    --output text
  call iot describe-certificate --certificate-id "$answer" --query certificateDescription.certificatePem --output text
}

# check_certificate: the one in $answer belongs to our key.
check_certificate() {
  local certified ours
  certified=$(openssl x509 -noout -pubkey <<<"$answer" 2>/dev/null) || fail 69 "AWS sent no certificate for $thing: $answer"
  ours=$(openssl pkey -in "$dir/device.key" -pubout)
  [ "$certified" = "$ours" ] || fail 77 "the certificate of $thing at AWS belongs to another key than $dir/device.key;" \
    "revoke it first: scripts/aws/down.sh --stack $stack --thing $thing"
}

write_files() {
  local endpoint=$1
  cat "${ca_files[@]}" | put "$dir/AmazonRootCA.pem"
  jq -n --arg broker "mqtts://$endpoint" --arg dir "$dir" --arg device "$thing" '{telemetry: {broker: $broker,
      ca: "\($dir)/AmazonRootCA.pem", cert: "\($dir)/device.crt", key: "\($dir)/device.key", device: $device},
      aws: {shadow: true, jobs: true}}' | put "$dir/glimpse.json"
}

look_at "$stack"
deploy "$stack" "glimpse=$stack"
deploy_thing
if ! $dry_run; then
  check_certificate
  put "$dir/device.crt" <<<"$answer"
fi
call iot describe-endpoint --endpoint-type iot:Data-ATS --query endpointAddress --output text
$dry_run && exit
[[ $answer =~ ^[a-z0-9]+[-.]ats\.iot\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$ ]] ||
  fail 69 "AWS named an endpoint that is not ATS: $answer; its certificate would not be Amazon's, so glimpse.json was not written"
write_files "$answer"
echo "$thing is up: mqtts://$answer, table $stack in $region"
echo "send:   build/glimpse run --config $(quoted "${dir#"$root"/}/glimpse.json")"
echo "read:   aws dynamodb query --region $region --table-name $stack --key-condition-expression 'device = :d'" \
  "--expression-attribute-values '{\":d\":{\"S\":\"$thing\"}}' --no-scan-index-forward --max-items 1"
