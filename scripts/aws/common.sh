# shellcheck shell=bash disable=SC2016,SC2034
# Shared by up.sh and down.sh: their options, calls to AWS, and what its refusals mean. Sourced, not run.

me=$(basename "$0" .sh)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
thing='' region='' stack=glimpse dir='' dry_run=false yes=false

fail() { # fail STATUS WORDS...
  local status=$1
  shift
  echo "$me: $*" >&2
  exit "$status"
}

parse() {
  while [ $# -gt 0 ]; do
    case $1 in
      --thing | --region | --stack | --dir)
        [ $# -ge 2 ] || fail 64 "$1 needs a value"
        printf -v "${1#--}" %s "$2"
        [ -n "$2" ] || fail 64 "$1 needs a value"
        shift 2
        ;;
      --dry-run) dry_run=true && shift ;;
      --yes) [ "$me" = down ] || { usage >&2 && exit 64; }
        yes=true && shift ;;
      -h | --help) usage && exit 0 ;;
      *) usage >&2 && exit 64 ;;
    esac
  done
  # AWS's rule for thing names is glimpse's for devices. The stack's name is the rule's, table's, policy's and thing type's, too:
  # a rule takes no hyphen, a table no name below three.
  [[ -z $thing || $thing =~ ^[a-zA-Z0-9:_-]{1,128}$ ]] || fail 64 "--thing $thing: AWS takes 1 to 128 of a-z A-Z 0-9 : _ -"
  [[ $stack =~ ^[a-zA-Z][a-zA-Z0-9]{2,31}$ ]] || fail 64 "--stack $stack: expected 3 to 32 letters and digits, a letter first"
  [ -z "$dir" ] || [ -n "$thing" ] || fail 64 "--dir goes with --thing"
  : "${dir:=$root/.local/aws/$thing}"
  [[ $dir = /* ]] || dir=$PWD/$dir

  for tool in openssl jq; do
    command -v "$tool" >/dev/null || fail 69 "$tool is not installed; run scripts/setup.sh --aws"
  done
  $dry_run || command -v aws >/dev/null || fail 69 "aws is not installed; run scripts/setup.sh --aws"
  export AWS_PAGER=''
  errors=$(mktemp)
  trap 'rm -f "$errors"' EXIT
  find_region
}

find_region() {
  : "${region:=${AWS_REGION:-${AWS_DEFAULT_REGION:-}}}"
  : "${region:=$(aws configure get region 2>/dev/null || true)}" # reads a file; asks nobody
  if [ -z "$region" ]; then
    $dry_run || fail 78 "no region: say --region eu-central-1 (or yours), or set AWS_REGION, or run: aws configure"
    echo "$me: no region is set; REGION stands for it" >&2
    region=REGION
  fi
  [[ $region = REGION || $region =~ ^[a-z]{2}(-[a-z]+)+-[0-9]+$ ]] || fail 64 "--region $region: that is none; they look like eu-central-1"
}

# The stack of one device. A stack's name takes neither : nor _ and ends at 128; a device's name that does not fit gets a hash.
thing_stack() {
  local plain=${1//[:_]/-}
  if [ "$plain" != "$1" ] || [ $((${#stack} + 1 + ${#1})) -gt 128 ]; then
    plain=${plain:0:80}-$(printf %s "$1" | openssl dgst -sha256 -r | cut -c 1-12)
  fi
  echo "$stack-$plain"
}

# --- calls ------------------------------------------------------------------------------------------------------------

quoted() {
  if [[ $1 =~ ^[a-zA-Z0-9_./:=@%+,-]+$ ]]; then printf %s "$1"; else printf "'%s'" "${1//\'/\'\\\'\'}"; fi
}

show() {
  local word
  printf '%s' "$1"
  shift
  for word in "$@"; do
    case $word in
      Csr=*) printf ' "Csr=$(cat %s)"' "$(quoted "$dir/device.csr")" ;;
      *) printf ' %s' "$(quoted "$word")" ;;
    esac
  done
  echo
}

# try WORDS...: one call; its answer is in $answer, its complaint in $errors. With --dry-run it is shown and not made, and the
# answer is $instead.
answer='' instead=''
try() {
  set -- "$@" --region "$region"
  if $dry_run; then
    show aws "$@"
    answer=$instead
    return
  fi
  answer=$(aws "$@" 2>"$errors")
}

# call WORDS...: a call that must succeed.
call() { try "$@" || explain; }

# Ends with what the complaint in $errors means; CONTEXT is where it was met.
explain() { # [CONTEXT]
  local text action who context=${1:-}
  text=$(tr -s '\n' ' ' <"$errors" | sed 's/^ //; s/ $//')
  action=$(sed -nE 's/.*not authorized to perform: ([a-zA-Z0-9-]+:[a-zA-Z0-9*]+).*/\1/p' <<<"$text")
  who=$(sed -nE 's/.*(arn:aws[a-z-]*:(iam|sts)::[^ ]+) is not authorized.*/\1/p' <<<"$text")
  case $text in
    *'Unable to locate credentials'* | *'Partial credentials'*)
      fail 77 "no AWS credentials; run: aws configure (or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)" ;;
    *'not authorized to perform'*)
      fail 77 "${context}not allowed: ${who:-these credentials} may not ${action:-do this}; docs/aws.md lists what is needed" ;;
    *AccessDenied*) fail 77 "${context}not allowed: ${text#*when calling the }" ;;
    *ExpiredToken* | *InvalidClientTokenId* | *UnrecognizedClient* | *SignatureDoesNotMatch* | *InvalidAccessKeyId* | *SSO*)
      fail 77 "AWS does not take these credentials: ${text#* operation: }" ;;
    *'Could not connect to the endpoint'*) fail 69 "cannot reach AWS in $region: ${text#*endpoint }" ;;
    *) fail 69 "$context${text:-aws failed without a word}" ;;
  esac
}

# --- stacks -----------------------------------------------------------------------------------------------------------

# look_at STACK: its status in $status, NONE where there is none. With --dry-run there is none.
look_at() {
  instead=NONE
  if try cloudformation describe-stacks --stack-name "$1" --query 'Stacks[0].StackStatus' --output text; then
    status=$answer
  elif grep -q 'does not exist' "$errors"; then
    status=NONE
  else
    explain
  fi
}

# Why the last change of STACK failed: the first resource that did, in AWS's words.
explain_stack() { # STACK
  call cloudformation describe-stack-events --stack-name "$1" --output json
  jq -r '[label $change | .StackEvents[] | if .ResourceType == "AWS::CloudFormation::Stack" and
      ((.ResourceStatusReason // "") | test("User Initiated")) then ., break $change else . end]
    | map(select((.ResourceStatus | endswith("_FAILED")) and .ResourceType != "AWS::CloudFormation::Stack"
      and ((.ResourceStatusReason // "") | test("cancelled") | not)))
    | last // empty | "\(.LogicalResourceId): \(.ResourceStatusReason)"' <<<"$answer" >"$errors"
  [ -s "$errors" ] || echo "failed; see: aws cloudformation describe-stack-events --stack-name $1 --region $region" >"$errors"
  explain "stack $1: "
}

refuse_while_busy() { # STACK, whose status is $status
  [[ $status = *_IN_PROGRESS && $status != REVIEW_IN_PROGRESS ]] || return 0
  fail 75 "stack $1 is being changed ($status); run $me.sh again once that has ended:" \
    "aws cloudformation describe-stacks --stack-name $1 --region $region --query 'Stacks[0].StackStatus'"
}
